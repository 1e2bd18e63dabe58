"""Tests with objectives: the body is called until every objective is met or breached for certain.

Everything a test function asks for is set up once; its body runs again and again. What counts as
one value is the time that its `api_client` spent on requests during one call of the body, or the
time of the whole body when it made no request with one.
"""

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from withstand.pytest_plugin.markers import is_performance, objectives_of
from withstand.pytest_plugin.options import measuring_budget_s
from withstand.pytest_plugin.run_record import RUN, RunRecord

if TYPE_CHECKING:
    from withstand.pytest_plugin.objectives import Objectives

# The first calls pay for connections and caches; they do not count. Slow calls warm up with fewer:
# ten of three seconds would leave nothing of the budget.
_WARM_UP_CALLS = 10
_WARM_UP_SHARE = 0.1
# Between a breach and the sample that has to reproduce it: a short burst should be over.
_PAUSE_S = 1.0


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Puts a function that measures in the place of the test function, for this call."""
    objectives = objectives_of(pyfuncitem) if is_performance(pyfuncitem) else None
    if not objectives:
        return (yield)
    body = pyfuncitem.obj
    pyfuncitem.obj = _measuring(pyfuncitem, body, objectives)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = body


def _measuring(
    item: pytest.Function, body: Callable[..., object], objectives: "Objectives"
) -> Callable[..., None]:
    from withstand.pytest_plugin.measurement import Measurement
    from withstand.stats.sequential import Decision

    budget_s = measuring_budget_s(item.config)
    run = item.config.stash[RUN]

    def measured(**arguments: Any) -> None:
        measurement = Measurement(objectives)
        started_at = time.monotonic()
        give_up_at = started_at + budget_s
        warm_at = started_at + _WARM_UP_SHARE * budget_s
        called = 0
        while not measurement.done and time.monotonic() < give_up_at:
            if measurement.at_pause:
                time.sleep(_PAUSE_S)
            warm = called >= _WARM_UP_CALLS or (called > 0 and time.monotonic() > warm_at)
            elapsed_ms, error = _call(body, arguments, run)
            if error is not None and not objectives.max_error_rate:
                raise error
            called += 1
            if warm:
                measurement.add(elapsed_ms, error)
        if not measurement.done:
            measurement.close()
        item.user_properties.extend(measurement.properties())
        if measurement.verdict is Decision.BREACHED:
            pytest.fail(measurement.explanation(), pytrace=False)
        if measurement.verdict is Decision.INCONCLUSIVE:
            pytest.skip(
                f"{measurement.explanation()}\n  → give it longer than --withstand-budget="
                f"{budget_s:g}s, or a limit further from what the API does"
            )

    return measured


def _call(
    body: Callable[..., object], arguments: dict[str, Any], run: RunRecord
) -> tuple[float, BaseException | None]:
    requests_ms: list[float] = []
    run.measured_ms = requests_ms
    error: BaseException | None = None
    started_ns = time.perf_counter_ns()
    try:
        body(**arguments)
    except (Exception, pytest.fail.Exception) as problem:
        error = problem
    finally:
        body_ms = (time.perf_counter_ns() - started_ns) / 1_000_000
        run.measured_ms = None
    return (sum(requests_ms) if requests_ms else body_ms), error
