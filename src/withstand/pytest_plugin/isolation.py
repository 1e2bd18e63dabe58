"""Performance tests never overlap each other under pytest-xdist.

They can still overlap other tests. The controller sees when every phase of every test ran, and
counts the performance tests during which another worker was busy.
"""

import os
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from withstand.pytest_plugin.markers import is_performance
from withstand.pytest_plugin.run_record import RUN, Span
from withstand.pytest_plugin.worker_link import worker_name

_REPORT_ATTRIBUTE = "withstand_performance"
_INCONCLUSIVE = ("withstand.verdict", "inconclusive")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Holds the lock around the whole test: waiting for it counts in no phase's duration."""
    if worker_name(item.config) is None or not is_performance(item):
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
    """Marks the reports of performance tests; the mark survives the way to the controller."""
    report = yield
    if is_performance(item):
        setattr(report, _REPORT_ATTRIBUTE, True)
    return report


class SpanRecorder:
    """Notes, where results are shown, when each phase of each test ran."""

    def __init__(self, config: pytest.Config) -> None:
        self._run = config.stash[RUN]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One span for every phase; and whether a measured test came to no verdict."""
        if report.when == "call" and _INCONCLUSIVE in report.user_properties:
            self._run.inconclusive.append(report.nodeid)
        node = getattr(report, "node", None)
        self._run.spans.append(
            Span(
                start_s=report.start,
                stop_s=report.stop,
                worker=node.gateway.id if node is not None else "main",
                performance=report.when == "call" and hasattr(report, _REPORT_ATTRIBUTE),
            )
        )


def pytest_configure(config: pytest.Config) -> None:
    """Records only in the process that shows the results."""
    if worker_name(config) is None:
        config.pluginmanager.register(SpanRecorder(config))


def contended(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The performance spans during which another worker ran something."""
    return tuple(
        span
        for span in spans
        if span.performance
        and any(
            other.worker != span.worker
            and other.start_s < span.stop_s
            and span.start_s < other.stop_s
            for other in spans
        )
    )
