"""Options that spread a load over processes and machines."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from withstand.cli.options import typed_shard
from withstand.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

_FORMS = "write it as 14:30:00, 2027-06-30T14:30:00+02:00, or Unix seconds"


def processes_option(function: F) -> F:
    """`--processes`."""
    return click.option(
        "--processes",
        type=click.IntRange(min=1),
        metavar="N",
        help="Generate the load with N processes. Default: one for every 10,000 requests a "
        "second, or 50 users without think time, as far as there are cores; a target on this "
        "machine keeps half of them.",
    )(function)


def distribution_options() -> tuple[Callable[[F], F], ...]:
    """How many processes and machines generate a load, and when they begin."""
    return (
        processes_option,
        click.option(
            "--shard",
            metavar="K/N",
            callback=typed_shard,
            help="Send only this machine's part of the load: 2/4 on the second of four. "
            "`withstand merge` makes one result of all parts.",
        ),
        click.option(
            "--start-at",
            metavar="TIME",
            help="Begin at this moment, so that machines begin together: 14:30:00 (the next one, "
            "local time), 2027-06-30T14:30:00Z, or Unix seconds.",
        ),
    )


def start_at_s(text: str, now: datetime) -> float:
    """The Unix time of a moment as people write it; `now` says which day and zone is meant.

    Raises UsageError for what is no moment, or past.
    """
    at_s = _moment_s(text.strip(), now)
    ago_s = now.timestamp() - at_s
    if ago_s >= 0:
        raise UsageError(
            f"--start-at {text} was {ago_s:,.1f} s ago",
            hint="give a moment that is still to come, such as half a minute ahead",
        )
    return at_s


def _moment_s(text: str, now: datetime) -> float:
    if re.fullmatch(r"[0-9]{9,}(\.[0-9]+)?", text):
        return float(text)
    if match := re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text):
        hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            wall = now.astimezone().replace(
                hour=hour, minute=minute, second=second, microsecond=0, tzinfo=None
            )
        except ValueError as error:
            raise UsageError(f"{text!r} is no time of day: {error}", hint=_FORMS) from None
        # Without a zone it is what the clock on the wall shows, daylight saving or not.
        if wall.timestamp() <= now.timestamp():
            wall += timedelta(days=1)
        return wall.timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no moment", hint=_FORMS) from None
    if moment.tzinfo is None:
        raise UsageError(
            f"{text!r} does not say in which time zone", hint=f"add it: {text}Z or {text}+02:00"
        )
    return moment.timestamp()
