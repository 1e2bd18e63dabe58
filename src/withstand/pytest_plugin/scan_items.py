"""`--withstand-scan`: the security checks as test items, one for each check and operation.

They are collected under the configuration's file:
`withstand.toml::scan::GET /orders/{id}::object-readable-by-other-user`, and those of the whole API
as `withstand.toml::scan::API::no-retry-after`, so that -k, -n, JUnit and shards apply to them.
Imported only when the option is given.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from withstand.errors import WithstandError
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Api, Operation
from withstand.pytest_plugin.configuration_items import collect_too, configuration_source
from withstand.pytest_plugin.options import inconclusive_fails, read_settings
from withstand.pytest_plugin.run_record import MEASURED, RUN
from withstand.pytest_plugin.scan_sessions import TestedApi, close_session, tested
from withstand.report.finding_text import finding_text
from withstand.report.scan_wording import accepted_until
from withstand.results import fails_at
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Check, Per
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord
from withstand.settings.plans import api_for, scan_plan

SCAN = "scan"
WHOLE_API = "API"
_NO_API = "--withstand-scan has no API to scan"
_HINT = 'set base_url = "http://127.0.0.1:8000" under [target] in withstand.toml'


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Has the configuration collected beside the tests, as if it had been named."""
    collect_too(session.config, configuration_source(session.config, _NO_API, _HINT))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The configuration as a collector of the scan."""
    if file_path != configuration_source(parent.config, _NO_API, _HINT):
        return None
    return ScannedFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Ends the scan before anybody reports: in a worker before that hands over what it learned.

    A scan that proves void only now fails the run: its items have passed on nothing.
    """
    close_session(session.config)
    run = session.config.stash[RUN]
    if run.void is not None and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    said = [
        *(("withstand.void", void) for void in (run.void,) if void is not None),
        *(("withstand.fact", fact) for fact in run.facts),
        *(("withstand.note", note) for note in run.notes),
    ]
    for plugin in session.config.pluginmanager.get_plugins():
        if hasattr(plugin, "add_global_property"):  # the writer of the JUnit file, if one is wanted
            for name, sentence in said:
                plugin.add_global_property(name, sentence)


class ScannedFile(pytest.File):
    """The file that names the API: a collector of its scan."""

    def collect(self) -> Iterator["ScanCollector"]:
        """One collector, named scan."""
        try:
            settings = read_settings(self.config)
            target = settings.target()
            plan = scan_plan(settings, target, api_for(settings, target), checks=all_checks())
        except WithstandError as error:
            raise self.CollectError(str(error)) from None
        node: ScanCollector = ScanCollector.from_parent(self, name=SCAN)
        node.about = TestedApi(settings=settings, plan=plan)
        yield node


class ScanCollector(pytest.Collector):
    """A scan: a collector of operations, producers before consumers, and of the whole API."""

    about: TestedApi

    def collect(self) -> Iterator["PlaceCollector"]:
        """One collector for each operation, then one for the checks of the whole API."""
        checks = sorted(all_checks(), key=lambda check: not check.goes_first)
        per_operation = tuple(check for check in checks if check.per is not Per.API)
        for operation in _ordered(self.about.plan.api):
            yield PlaceCollector.of(self, operation, per_operation)
        whole_api = tuple(check for check in checks if check.per is Per.API)
        yield PlaceCollector.of(self, None, whole_api)


class PlaceCollector(pytest.Collector):
    """An operation, or the whole API: a collector of the checks that are run there."""

    operation: Operation | None = None
    checks: tuple[Check, ...] = ()
    about: TestedApi

    @classmethod
    def of(
        cls, parent: ScanCollector, operation: Operation | None, checks: tuple[Check, ...]
    ) -> "PlaceCollector":
        """The collector of these checks on the operation."""
        name = operation.key if operation is not None else WHOLE_API
        node: PlaceCollector = cls.from_parent(parent, name=name)
        node.operation, node.checks, node.about = operation, checks, parent.about
        return node

    def collect(self) -> Iterator["CheckItem"]:
        """One item for each check."""
        for check in self.checks:
            yield CheckItem.of(self, check)


class CheckItem(pytest.Item):
    """One check on one operation, or on the whole API."""

    check: Check
    operation: Operation | None
    about: TestedApi

    @classmethod
    def of(cls, parent: PlaceCollector, check: Check) -> "CheckItem":
        """The item of a check."""
        item: CheckItem = cls.from_parent(parent, name=check.name)
        item.check, item.operation, item.about = check, parent.operation, parent.about
        item.add_marker("security")
        config = item.config
        # Under --dist loadgroup one worker scans it all, as the command does.
        if config.getoption("loadgroup", default=False) and config.stash[RUN].shard is None:
            item.add_marker(pytest.mark.xdist_group("withstand-scan"))
        return item

    def runtest(self) -> None:
        """Fails on a finding that fails a scan; skipped where nothing could be told."""
        try:
            record = tested(self.config, self.about, self.check, self.operation, last=self._last())
        except WithstandError as error:
            pytest.fail(str(error), pytrace=False)
        if record.void is not None:
            pytest.fail(f"the scan is void: {record.void}", pytrace=False)
        (cell,) = record.coverage
        self._end(record, cell)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is from."""
        where = self.operation.key if self.operation is not None else "the whole API"
        return self.path, None, f"{where} {self.check.name}"

    def _last(self) -> bool:
        """Whether the next item is about something else."""
        items = self.session.items
        after = next((items[at + 1 :] for at, item in enumerate(items) if item is self), [])
        following = after[0] if after else None
        return not isinstance(following, CheckItem) or following.operation is not self.operation

    def _end(self, record: ScanRecord, cell: Coverage) -> None:
        match cell.state:
            case CoverageState.PASSED:
                return
            case CoverageState.FAILED:
                self._found(record)
            case CoverageState.NOT_APPLICABLE:
                pytest.skip(f"not applicable: {cell.reason}")
            case CoverageState.SKIPPED:
                pytest.skip(cell.reason)
            case CoverageState.INCONCLUSIVE:
                reason = f"could not tell: {cell.reason}"
                self._note("inconclusive", cell.reason)
                if inconclusive_fails(self.config):
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)

    def _found(self, record: ScanRecord) -> None:
        fail_on = self.about.plan.policy.fail_on
        failing = [each for each in record.findings if fails_at(fail_on, each)]
        minor = [each for each in record.findings if each not in failing]
        accepted = [each.finding for each in record.suppressed]
        for finding in (*failing, *minor, *record.known, *accepted)[:1]:
            self.user_properties += [
                ("withstand.severity", finding.severity.value),
                ("withstand.confidence", finding.confidence.value),
                ("withstand.fingerprint", finding.fingerprint),
            ]
        if failing:
            pytest.fail("\n\n".join(finding_text(each) for each in failing), pytrace=False)
        for each in minor:
            self._note(f"{each.severity} finding", each.detail)
        reasons = [f"accepted: {accepted_until(each)}" for each in record.suppressed]
        if record.known:
            reasons.append(f"known, in {record.baseline_file}")
        if reasons:
            pytest.xfail("; ".join(reasons))

    def _note(self, state: str, sentence: str) -> None:
        """A line of the summary."""
        said: tuple[tuple[str, str], ...] = ((state, sentence),)
        self.stash[MEASURED] = [*self.stash.get(MEASURED, []), said]


def _ordered(api: Api) -> tuple[Operation, ...]:
    return tuple(in_dependency_order(api.operations, resolve=api.resolve))
