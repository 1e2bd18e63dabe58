"""The trials behind the items of `--withstand-slo`: once a run, for all that were collected.

Under pytest-xdist the first worker to come measures for all; the others wait, and read its results
in the directory that the run shares.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from filelock import FileLock

from withstand.client.target import Target
from withstand.errors import RunVoid, WithstandError
from withstand.openapi.operation import Api
from withstand.pytest_plugin.options import measuring_budget_s
from withstand.pytest_plugin.run_record import RUN
from withstand.results import Results
from withstand.results_file import read_results, write_results
from withstand.settings import Settings
from withstand.settings.plans import scan_plan
from withstand.slo import Objective
from withstand.slo.trial_plan import TrialPlan
from withstand.workflows import Occasion, run_trials

_KEPT = pytest.StashKey["Outcome"]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What the configuration promises about which API."""

    settings: Settings
    target: Target
    api: Api
    objectives: tuple[Objective, ...]
    plan: TrialPlan

    def only(self, objectives: Mapping[str, tuple[Objective, ...]]) -> "Promises":
        """With these objectives of operations alone."""
        return replace(self, plan=replace(self.plan, objectives=objectives))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Results, or the problem for which there are none: it is not met twice."""

    results: Results | None = None
    problem: str | None = None
    hint: str | None = None

    def told(self) -> Results:
        """The results. Raises RunVoid with the problem."""
        if self.results is None:
            raise RunVoid(self.problem or "nothing was measured", hint=self.hint)
        return self.results


def trials_of(config: pytest.Config, promises: Promises) -> Results:
    """What trying the operations came to, measured by whoever asks first. Raises RunVoid where
    nothing could be measured, and KeyboardInterrupt after Ctrl-C.
    """
    kept = config.stash.get(_KEPT, None)
    if kept is None:
        shared = config.stash[RUN].shared_directory
        measured = _measured if shared is None else _shared_in(shared)
        kept = config.stash[_KEPT] = measured(config, promises)
    return kept.told()


def _shared_in(directory: Path) -> Callable[[pytest.Config, Promises], Outcome]:
    results_file, problem_file = directory / "objectives.json", directory / "no-objectives.json"

    def measured(config: pytest.Config, promises: Promises) -> Outcome:
        with FileLock(directory / "objectives.lock"):
            if results_file.exists():
                return Outcome(results=read_results(results_file))
            if problem_file.exists():
                problem, hint = json.loads(problem_file.read_text(encoding="utf-8"))
                return Outcome(problem=problem, hint=hint)
            outcome = _measured(config, promises)
            if outcome.results is not None:
                write_results(results_file, outcome.results)
            else:
                text = json.dumps([outcome.problem, outcome.hint])
                problem_file.write_text(text, encoding="utf-8")
            return outcome

    return measured


def _measured(config: pytest.Config, promises: Promises) -> Outcome:
    settings = promises.settings
    try:
        results = run_trials(
            scan_plan(settings, promises.target, promises.api),
            Occasion(
                command="pytest --withstand-slo",
                config=settings.source,
                objectives=promises.objectives,
            ),
            wanted=promises.plan,
            budget_s=measuring_budget_s(config),
        )
    except WithstandError as error:
        return Outcome(problem=error.message, hint=error.hint)
    if results.interrupted:
        raise KeyboardInterrupt
    if results.trials is not None and results.trials.void is not None:
        return Outcome(problem=results.trials.void, hint="see the server's own log, and run again")
    return Outcome(results=results)
