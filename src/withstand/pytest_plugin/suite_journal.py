"""The journal of a run: what was collected, then every test as it ends, written line by line.

So a run that is killed leaves all that it had come to. Only the process that shows results writes
one, and only where it was asked for; what it imports is imported then.
"""

import math
import os
import shlex
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import pytest

import withstand
from withstand.errors import UsageError
from withstand.history.commit import current_commit
from withstand.history.durations import note_durations
from withstand.history.machine import this_machine
from withstand.pytest_plugin.journal_file import journal_path
from withstand.pytest_plugin.measured_tests import verdicts_on
from withstand.pytest_plugin.options import durations_file
from withstand.pytest_plugin.run_record import RUN
from withstand.results import Results
from withstand.results_file import JournalEntry, journal_entry, journal_head
from withstand.sharding.suite import Finished, Outcome, SuitePart, SuiteRecord
from withstand.workflows.masking import masked_command

if TYPE_CHECKING:
    from withstand.pytest_plugin.division import Division

_LONGEST: Final = 300
_AGAIN: Final = "rerun"  # the outcome that pytest-rerunfailures gives
_CRASHED: Final = "???"  # pytest-xdist's report of a test whose worker died


class SuiteJournal:
    """Writes the journal."""

    def __init__(self, config: pytest.Config, file: TextIO) -> None:
        self._config = config
        self._file = file
        self._head: Results | None = None
        self._waiting: list[JournalEntry] = []
        self._started_at = time.time()
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._nodeids: dict[str, str] = {}
        self._ended: list[Finished] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Here, where tests are collected in this process."""
        self._begin()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Here, where workers collect them."""
        self._begin()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What cannot be imported has tests that nobody knows of."""
        if report.failed:
            self._note(uncollected=report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test; a set-up begins a test anew, also one that is run again."""
        if report.when == "setup":
            self._reports[report.nodeid] = []
        self._reports.setdefault(report.nodeid, []).append(report)
        if str(report.when) == _CRASHED:
            self.pytest_runtest_logfinish(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The end of a test, or of an attempt that pytest-rerunfailures repeats."""
        reports = self._reports.pop(nodeid, [])
        if reports and not any(str(each.outcome) == _AGAIN for each in reports):
            ended = _finished(self._nodeids.get(nodeid, nodeid), reports)
            self._ended.append(ended)
            self._note(finished=ended)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """The end of the run, as it is after all others have had their say."""
        outcome = yield
        self._note(exit_code=int(session.exitstatus))
        if self._config.getoption("store_shard_durations"):
            self._store_durations()
        return outcome

    def pytest_unconfigure(self) -> None:
        """The file is complete."""
        self._file.close()

    def _begin(self) -> None:
        division = self._config.stash[RUN].division
        if division is None or self._head is not None:
            return
        for member in division.collected:
            self._nodeids[member.nodeid] = member.nodeid
            if member.group is not None:
                # What pytest-xdist calls it with --dist loadgroup.
                self._nodeids[f"{member.nodeid}@{member.group}"] = member.nodeid
        self._head = self._first_line(division)
        self._write(journal_head(self._head), *map(journal_entry, self._waiting))

    def _store_durations(self) -> None:
        if self._head is None or self._head.suite is None:
            return
        (part,) = self._head.suite.parts
        ran = replace(self._head.suite, parts=(replace(part, finished=tuple(self._ended)),))
        try:
            note_durations(durations_file(self._config), ran, day=datetime.now(UTC).date())
        except UsageError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)

    def _note(self, **happened: Any) -> None:
        entry = JournalEntry(after_s=time.time() - self._started_at, **happened)
        if self._head is None:
            self._waiting.append(entry)  # the first line is what was collected
            return
        self._write(journal_entry(entry))

    def _write(self, *lines: str) -> None:
        """Adds lines. A disk that takes no more ends the run: nothing would know of its tests."""
        try:
            self._file.writelines(lines)
            self._file.flush()  # out of this process, which may be killed
        except OSError as error:
            full, self._file = self._file, _nowhere()
            with suppress(OSError):  # it tries once more to write what it could not
                full.close()
            pytest.exit(
                f"the journal {full.name} cannot be written: {error.strerror}\n"
                "  → make room, or name another directory with --withstand-report-dir",
                returncode=pytest.ExitCode.INTERNAL_ERROR,
            )

    def _first_line(self, division: "Division") -> Results:
        commit = current_commit(here=self._config.rootpath)
        part = SuitePart(
            shard=division.shard,
            by=division.by,
            mode=division.mode,
            digest=division.digest,
            machine=this_machine().description,
            commit=commit,
            kept=division.kept,
        )
        return Results(
            started_at=self._started_at,
            duration_s=0.0,
            version=withstand.__version__,
            command=masked_command(
                shlex.join(("pytest", *map(str, self._config.invocation_params.args)))
            ),
            base_url="",
            commit=commit,
            suite=SuiteRecord(collected=division.collected, parts=(part,)),
        )


def follow(config: pytest.Config) -> None:
    """Begins the journal that the options ask for. Raises pytest.UsageError where no file can be.

    What an earlier run left there is gone from here on. Where only durations are to be stored,
    nothing is kept of it.
    """
    path = journal_path(config)
    if path is None:
        config.pluginmanager.register(SuiteJournal(config, _nowhere()))
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise pytest.UsageError(
            f"no journal can be written to {path.parent}: {error.strerror}\n"
            "  → name a directory that you may write to"
        ) from None
    config.pluginmanager.register(SuiteJournal(config, file))


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def _finished(nodeid: str, reports: Sequence[pytest.TestReport]) -> Finished:
    failed = [each for each in reports if each.failed]
    calls = [each for each in reports if each.when == "call"]  # the last is the test's own
    telling = failed[0] if failed else calls[-1] if calls else reports[0]
    # A subtest's time is part of the call's, which is reported after it.
    spent_s = sum({each.when: each.duration for each in reports}.values())
    return Finished(
        nodeid=nodeid,
        outcome=_outcome(telling),
        ms=max(1, math.ceil(spent_s * 1_000)),
        message="" if telling.passed else _message(telling),
        verdicts=tuple(verdict for each in reports for verdict in verdicts_on(each)),
    )


def _outcome(report: pytest.TestReport) -> Outcome:
    if report.failed:
        return Outcome.FAILED
    if hasattr(report, "wasxfail"):
        return Outcome.XFAILED if report.skipped else Outcome.XPASSED
    return Outcome.SKIPPED if report.skipped else Outcome.PASSED


def _message(report: pytest.TestReport) -> str:
    """The first line of why."""
    longrepr: Any = report.longrepr
    if crash := getattr(longrepr, "reprcrash", None):
        text = crash.message
    else:
        text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr or "")
    return str(text).strip().split("\n", 1)[0][:_LONGEST]
