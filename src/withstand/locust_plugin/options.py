"""Withstand's options on Locust's own command line."""

from argparse import ArgumentTypeError
from typing import Any

from withstand.errors import UsageError
from withstand.slo import parse_named_objective
from withstand.units import parse_duration_ns


def add_options(parser: Any) -> None:
    """Add them to Locust's parser."""

    def add(name: str, help_text: str, **given: Any) -> None:
        given.setdefault("env_var", name.removeprefix("--").replace("-", "_").upper())
        parser.add_argument(name, help=help_text, include_in_web_ui=False, **given)

    add(
        "--withstand-slo",
        'An objective, such as "p95<200ms" or "GET /users: p99<1s". Repeatable. With one, the '
        "exit code says whether all are met: 1 for a breach, 3 for a run that says nothing.",
        action="append",
        type=_objective,
        metavar="<objective>",
        default=[],
    )
    add("--withstand-html", "Write Withstand's report here.", metavar="<filename>", default=None)
    add("--withstand-json", "Write exact results here.", metavar="<filename>", default=None)
    add(
        "--withstand-strict",
        "What could not be decided fails the run (exit code 3).",
        action="store_true",
        default=False,
    )
    add(
        "--withstand-warm-up",
        "How long at the start requests are recorded but not judged, such as 5s.",
        metavar="<time>",
        type=_seconds,
        default=None,
    )
    add(
        "--withstand-stagger",
        "Shift paced users against each other, so that those who begin together do not send "
        "together.",
        action="store_true",
        default=False,
    )
    add(
        "--withstand-explain",
        "At the end, say of each line that sends requests which client sent them, and why.",
        action="store_true",
        default=False,
    )
    add("--withstand-pipe", "For Withstand's own use.", type=int, metavar="<fd>", default=None)


def _objective(text: str) -> str:
    """The text, if it is one. Looked at here, before Locust starts any other process."""
    try:
        parse_named_objective(text)
    except UsageError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _seconds(text: str) -> float:
    try:
        return parse_duration_ns(text) / 1e9
    except UsageError as error:
        raise ArgumentTypeError(str(error)) from None
