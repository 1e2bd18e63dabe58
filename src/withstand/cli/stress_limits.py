"""What `withstand stress` refuses before anything is sent."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from withstand.cli.progress import ProgressLine
from withstand.errors import UsageError
from withstand.slo.capacity import objectives_of_a_step
from withstand.stats.capacity import SearchPlan
from withstand.units import parse_duration_ns
from withstand.workflows import Occasion

# Windows are seconds only up to ten minutes of a run, and a hold may take twice its time.
_LONGEST_STEP_S: Final = 270


def require_one_source(
    argument: str | None,
    scenario: Path | None,
    openapi: str | None,
    operations: tuple[str, ...],
) -> None:
    """Raises UsageError for a user script, and for a scenario file beside a document."""
    if argument is not None and "://" not in argument and argument.lower().endswith(".py"):
        raise UsageError(
            f"{argument} is a user script, whose iterations send as many requests as they like, so "
            f"that no rate of requests could be searched for",
            hint="declare the requests in a scenario file, or try rates with `withstand load "
            f"{argument} --rate …`",
        )
    if scenario is not None and (openapi is not None or operations):
        raise UsageError(
            f"{scenario} says what to send, and --openapi and --operation choose from a document",
            hint="give the scenario alone, or the operations",
        )


def judgeable(occasion: Occasion, progress: ProgressLine, *, typed: bool) -> Occasion:
    """The occasion with the objectives that a step can be judged by.

    Raises UsageError when one was typed that cannot, and when none is left.
    """
    kept = objectives_of_a_step(occasion.objectives)
    others = [each.text for each in occasion.objectives if each not in kept]
    if others and typed:
        raise UsageError(
            f"{others[0]} cannot be judged by steps of seconds at rates that are searched for",
            hint="give --require for a rate, and `withstand load` for memory and stretches of time",
        )
    if not kept:
        raise UsageError(
            "there is no objective, and the sustainable rate is the highest at which the "
            "objectives are met",
            hint='give some, such as --slo "p95<200ms" --slo "errors<1%"',
        )
    if others:
        progress.say(f"Not judged here, as it is about longer runs: {', '.join(others)}")
    return replace(occasion, objectives=kept)


def require_time(search: SearchPlan, max_time: str) -> None:
    """Raises UsageError where the times do not fit into one another."""
    if search.most_windows < search.least_windows:
        raise UsageError(
            f"--longest-step {search.most_windows}s is shorter than --step-time "
            f"{search.least_windows}s",
            hint="make it at least as long",
        )
    for name, seconds in (
        ("--longest-step", search.most_windows),
        ("--hold-time", search.hold_windows),
        ("--warm-up", search.warm_up_windows),
    ):
        if seconds > _LONGEST_STEP_S:
            raise UsageError(
                f"{name} {seconds}s is more than {_LONGEST_STEP_S}s",
                hint="for a long look at one rate there is `withstand load`",
            )
    if search.step_s + search.hold_s > search.budget_s:
        raise UsageError(
            f"--max-time {max_time} has no room for one step and the hold after it, which take "
            f"{search.step_s + search.hold_s:.0f} s",
            hint="give more, or shorten --warm-up, --step-time and --hold-time",
        )


def whole_seconds(name: str, text: str, least: int) -> int:
    """The value of an option that counts seconds. Raises UsageError."""
    seconds = parse_duration_ns(text) / 1e9
    if seconds < least or seconds != int(seconds):
        raise UsageError(
            f"{name} {text} is not a whole number of seconds, at least {least}",
            hint=f"such as {max(least, 1) * 2}s",
        )
    return int(seconds)
