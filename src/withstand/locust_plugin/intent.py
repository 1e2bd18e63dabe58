"""What is to become of a test's results, as Withstand's options on Locust's command line say."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from withstand.errors import WithstandError
from withstand.slo import Objective, parse_named_objective, timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to become of the results; `width_s` is how they are recorded for that."""

    objectives: tuple[Objective, ...]
    run_time_s: float | None
    warm_up_s: float | None
    width_s: int
    strict: bool
    html: Path | None
    json_file: Path | None


def intent_of(options: Any) -> Intent:
    """What the options ask for; ends the process with a sentence where they are wrong."""

    def given(name: str) -> Any:
        return getattr(options, f"withstand_{name}", None)

    run_time_s = getattr(options, "run_time", None)
    try:
        objectives = tuple(parse_named_objective(text) for text in given("slo") or ())
        width_s = 1
        if run_time_s:
            width_s = timing(objectives, duration_s=run_time_s, warm_up_s=given("warm_up")).width_s
    except WithstandError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)
    return Intent(
        objectives=objectives,
        run_time_s=run_time_s,
        warm_up_s=given("warm_up"),
        width_s=width_s,
        strict=bool(given("strict")),
        html=Path(given("html")) if given("html") else None,
        json_file=Path(given("json")) if given("json") else None,
    )
