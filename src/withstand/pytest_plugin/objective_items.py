"""`--withstand-slo`: the objectives of the configuration as test items, one for each operation.

They are collected under the configuration's file, `withstand.toml::GET /users::p95<200ms`, so that
-k, -n, JUnit and shards apply to them. Imported only when the option is given.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from withstand.errors import UsageError, WithstandError
from withstand.pytest_plugin.configuration_items import collect_too, configuration_source
from withstand.pytest_plugin.objective_trials import Promises, trials_of
from withstand.pytest_plugin.options import read_settings
from withstand.pytest_plugin.run_record import MEASURED
from withstand.report.wording import observation
from withstand.settings.plans import api_for, objectives_for
from withstand.slo import Objective, Verdict, VerdictState
from withstand.slo.trial import can_be_tried
from withstand.slo.trial_plan import left_to_load, trial_plan
from withstand.workflows.document_load import refuse_unknown

_NO_OBJECTIVES = "--withstand-slo finds no objective"
_HINT = 'set some under [slo] in withstand.toml, such as "*" = ["p95<200ms", "errors<1%"]'


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Has the configuration collected beside the tests, as if it had been named."""
    collect_too(session.config, _source(session.config))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The configuration as a collector of its objectives."""
    if file_path != _source(parent.config):
        return None
    return ConfigurationFile.from_parent(parent, path=file_path)


class ConfigurationFile(pytest.File):
    """The file that has [slo]: a collector of operations."""

    promises: Promises | None = None

    def collect(self) -> Iterator["OperationObjectives"]:
        """One collector for each operation, and for each pattern that only a load can judge."""
        try:
            settings = read_settings(self.config)
            objectives = objectives_for(settings, ())
            if not objectives:
                raise UsageError(_NO_OBJECTIVES, hint=_HINT)
            target = settings.target()
            api = api_for(settings, target)
            refuse_unknown(api, objectives)
        except WithstandError as error:
            raise self.CollectError(str(error)) from None
        plan = trial_plan(api, objectives)
        self.promises = Promises(
            settings=settings, target=target, api=api, objectives=objectives, plan=plan
        )
        by_name = {operation: list(wanted) for operation, wanted in plan.objectives.items()}
        for objective in left_to_load(objectives):
            by_name.setdefault(objective.operation, []).append(objective)
        for name, promised in by_name.items():
            yield OperationObjectives.of(self, name=name, promised=tuple(promised))


class OperationObjectives(pytest.Collector):
    """An operation: a collector of the objectives that cover it."""

    promised: tuple[Objective, ...] = ()
    promises: Promises | None = None

    @classmethod
    def of(
        cls, parent: ConfigurationFile, *, name: str, promised: tuple[Objective, ...]
    ) -> "OperationObjectives":
        """The collector of an operation's key, or of a pattern."""
        node: OperationObjectives = cls.from_parent(parent, name=name)
        node.promised, node.promises = promised, parent.promises
        return node

    def collect(self) -> Iterator["ObjectiveItem"]:
        """One item for each objective."""
        for objective in self.promised:
            yield ObjectiveItem.of(self, objective)


class ObjectiveItem(pytest.Item):
    """One objective on one operation. The first that runs has all of them measured."""

    objective: Objective
    operation: str
    promises: Promises | None = None

    @classmethod
    def of(cls, parent: OperationObjectives, objective: Objective) -> "ObjectiveItem":
        """The item of an objective; performance tests never overlap each other."""
        item: ObjectiveItem = cls.from_parent(parent, name=objective.text)
        item.objective, item.operation = objective, parent.name
        item.promises = parent.promises
        item.add_marker("performance")
        return item

    def runtest(self) -> None:
        """Fails when breached, and is skipped with what would decide when inconclusive."""
        if not can_be_tried(self.objective):
            pytest.skip(f"{self.objective.text} needs withstand load")
        assert self.promises is not None
        collected = [item for item in self.session.items if isinstance(item, ObjectiveItem)]
        try:
            results = trials_of(self.config, self.promises.only(_by_operation(collected)))
        except WithstandError as error:
            pytest.fail(str(error), pytrace=False)
        for verdict in results.verdicts():
            if verdict.operation == self.operation and verdict.objective == self.objective:
                self._end(verdict)
                return
        left_out = results.trials.left_out if results.trials is not None else {}
        self._undecided(f"{self.operation}: {left_out.get(self.operation, 'it was not tried')}")

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is from."""
        return self.path, None, f"{self.operation} {self.objective.text}"

    def _end(self, verdict: Verdict) -> None:
        said = f"{verdict.state}: {verdict.operation} {verdict.objective.text}: {verdict.reason}"
        said = f"{said}\n{observation(verdict)}"
        self.user_properties += _properties(verdict)
        sentence = f"{verdict.objective.text}: {verdict.reason}; {observation(verdict)}"
        said_of_it: tuple[tuple[str, str], ...] = ((verdict.state.value, sentence),)
        self.stash[MEASURED] = [said_of_it]
        if verdict.state is VerdictState.BREACHED:
            pytest.fail(said, pytrace=False)
        if verdict.state is VerdictState.INCONCLUSIVE:
            self._undecided(said)

    def _undecided(self, reason: str) -> None:
        if self.config.getoption("withstand_strict", default=False):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def _by_operation(items: Iterable[ObjectiveItem]) -> dict[str, tuple[Objective, ...]]:
    """Operation key → the objectives whose items are run."""
    found: dict[str, tuple[Objective, ...]] = {}
    for item in items:
        if can_be_tried(item.objective):
            found[item.operation] = (*found.get(item.operation, ()), item.objective)
    return found


def _properties(verdict: Verdict) -> list[tuple[str, object]]:
    """What a JUnit file says of the verdict, in flat names."""
    found: list[tuple[str, object]] = [
        ("withstand.verdict", verdict.state.value),
        ("withstand.requests", verdict.samples),
    ]
    if verdict.observed is not None and verdict.objective.is_latency:
        found.append((f"withstand.{verdict.objective.name}_ms", round(verdict.observed / 1e6, 3)))
    elif verdict.observed is not None:
        found.append(("withstand.error_rate", verdict.observed))
    return found


def _source(config: pytest.Config) -> Path:
    return configuration_source(config, _NO_OBJECTIVES, _HINT)
