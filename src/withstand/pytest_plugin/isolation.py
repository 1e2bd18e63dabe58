"""Tests about time never overlap each other under pytest-xdist.

They can still overlap other tests. The controller sees when every phase of every test ran, and so
which of them had company.
"""

import os
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from withstand.pytest_plugin.markers import is_timed
from withstand.pytest_plugin.measured_tests import verdicts_on
from withstand.pytest_plugin.run_record import RUN, Span
from withstand.pytest_plugin.worker_link import worker_name

_REPORT_ATTRIBUTE = "withstand_timed"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Holds the lock around the whole test: waiting for it counts in no phase's duration."""
    if worker_name(item.config) is None or not is_timed(item):
        return (yield)
    from filelock import FileLock

    directory = item.config.stash[RUN].shared_directory or Path(tempfile.gettempdir())
    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID", "run")
    with FileLock(directory / f"withstand-performance-{run_id}.lock"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Marks the reports of tests about time; the mark survives the way to the controller."""
    report = yield
    if is_timed(item):
        setattr(report, _REPORT_ATTRIBUTE, True)
    return report


class SpanRecorder:
    """Notes, where results are shown, when each phase of each test ran."""

    def __init__(self, config: pytest.Config) -> None:
        self._run = config.stash[RUN]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One span for every phase, with the verdicts of a test that was measured."""
        node = getattr(report, "node", None)
        self._run.spans.append(
            Span(
                nodeid=report.nodeid,
                start_s=report.start,
                stop_s=report.stop,
                worker=node.gateway.id if node is not None else "main",
                timed=report.when == "call" and hasattr(report, _REPORT_ATTRIBUTE),
                verdicts=verdicts_on(report),
            )
        )


def pytest_configure(config: pytest.Config) -> None:
    """Records only in the process that shows the results."""
    if worker_name(config) is None:
        config.pluginmanager.register(SpanRecorder(config))


def contended(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans of tests about time during which another worker ran something."""
    return tuple(
        span
        for span in spans
        if span.timed
        and any(
            other.worker != span.worker
            and other.start_s < span.stop_s
            and span.start_s < other.stop_s
            for other in spans
        )
    )
