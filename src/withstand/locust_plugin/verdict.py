"""The end of a test under Locust's own command: report, files, exit code."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from withstand.errors import WithstandError
from withstand.load.measurement import LoadMeasurement
from withstand.report.html import render_html
from withstand.report.terminal import render
from withstand.results_file import write_results
from withstand.slo import Objective, parse_objective, timing
from withstand.workflows.locust_results import locust_results


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of the results; `width_s` is how they are recorded for that."""

    objectives: tuple[Objective, ...]
    run_time_s: float | None
    warm_up_s: float | None
    width_s: int
    strict: bool
    html: Path | None
    json_file: Path | None


def plan_of(options: Any) -> Plan:
    """What the options ask for; ends the process with a sentence where they are wrong."""

    def given(name: str) -> Any:
        return getattr(options, f"withstand_{name}", None)

    run_time_s = getattr(options, "run_time", None)
    try:
        objectives = tuple(parse_objective(text) for text in given("slo") or ())
        width_s = 1
        if run_time_s:
            width_s = timing(
                objectives, duration_s=run_time_s, warm_up_s=given("warm_up")
            ).width_s
    except WithstandError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)
    return Plan(
        objectives=objectives,
        run_time_s=run_time_s,
        warm_up_s=given("warm_up"),
        width_s=width_s,
        strict=bool(given("strict")),
        html=Path(given("html")) if given("html") else None,
        json_file=Path(given("json")) if given("json") else None,
    )


def publish(measured: LoadMeasurement, plan: Plan, *, host: str | None) -> int:
    """Write what was asked for, and say how it went; the exit code of that."""
    try:
        results = locust_results(
            measured,
            objectives=plan.objectives,
            command="locust",
            base_url=host or "",
            run_time_s=plan.run_time_s,
            warm_up_s=plan.warm_up_s,
            strict=plan.strict,
        )
        if plan.json_file is not None:
            write_results(plan.json_file, results)
        if plan.html is not None:
            plan.html.parent.mkdir(parents=True, exist_ok=True)
            plan.html.write_text(render_html(results), encoding="utf-8")
    except (WithstandError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code if isinstance(error, WithstandError) else 2
    render(results, Console(file=sys.stdout))
    return results.exit_code()
