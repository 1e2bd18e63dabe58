"""The scan behind the items of `--withstand-scan`: one for each process of the run.

Each process logs in and finds what works once, when its first item runs. Under pytest-xdist no two
processes attack the API at the same time: a limiter that one of them provokes, or an object that
one of them creates, would spoil the verdicts of the other.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import pytest
from filelock import FileLock

from withstand.openapi.operation import Operation
from withstand.pytest_plugin.run_record import RUN
from withstand.scan.check import Check
from withstand.scan.plan import ScanPlan
from withstand.scan.records.record import ScanRecord
from withstand.settings import Settings
from withstand.workflows import Occasion, read_baseline_file
from withstand.workflows.scan_session import ScanSession

_SESSION = pytest.StashKey[ScanSession]()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedApi:
    """The scan of the API, and the configuration that it comes from."""

    __test__ = False  # no test class, whatever its name begins with

    settings: Settings
    plan: ScanPlan


def tested(
    config: pytest.Config,
    about: TestedApi,
    check: Check,
    operation: Operation | None,
    *,
    last: bool,
) -> ScanRecord:
    """The record of one test. Raises RunVoid or UsageError."""
    with _turn(config):
        if _SESSION not in config.stash:
            config.stash[_SESSION] = _session(about)
        record = config.stash[_SESSION].test(check, operation, last=last)
    expired = (
        f"The suppression of {use.what} ({use.reason}) held until {use.expires}: it holds no more."
        for use in record.suppressions
        if use.expired
    )
    _keep_notes(config, about.plan, (*record.notes, *expired))
    return record


def close_session(config: pytest.Config) -> None:
    """Deletes what the tests of this process created, and keeps what the scan says at its end."""
    session = config.stash.get(_SESSION, None)
    if session is None:
        return
    with _turn(config):
        record = session.close()
    if record is not None:
        run = config.stash[RUN]
        run.facts += record.facts
        run.void = record.void
        _keep_notes(config, session.plan, record.notes)


def _keep_notes(config: pytest.Config, plan: ScanPlan, told: Iterable[str]) -> None:
    notes = config.stash[RUN].notes
    # What could not be called is the reason of its own items.
    untested = tuple(f"{each.key} was not tested: " for each in plan.api.operations)
    notes += (note for note in told if note not in notes and not note.startswith(untested))


def _turn(config: pytest.Config) -> AbstractContextManager[object]:
    """Held while this process alone may talk to the API."""
    shared = config.stash[RUN].shared_directory
    if shared is None:
        return nullcontext()
    return FileLock(shared / "scan.lock").acquire(poll_interval=0.01)


def _session(about: TestedApi) -> ScanSession:
    settings = about.settings
    file = settings.baseline_file
    return ScanSession(
        about.plan,
        Occasion(
            command="pytest --withstand-scan",
            config=settings.source,
            fail_on=about.plan.policy.fail_on,
            suppressions=settings.suppressions(),
            baseline=None if file is None else read_baseline_file(file),
        ),
    )
