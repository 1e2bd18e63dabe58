"""Tests with objectives: the body is called until every objective is met or breached for certain.

Everything a test function asks for is set up once; its body runs again and again. A test that asks
for the fixture `latency` says itself what is repeated, and its body runs once.
"""

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from withstand.pytest_plugin.markers import asks_for_latency, is_performance, objectives_of
from withstand.pytest_plugin.options import inconclusive_fails, measuring_budget_s
from withstand.pytest_plugin.run_record import MEASURED

if TYPE_CHECKING:
    from withstand.pytest_plugin.measurement import Measurement
    from withstand.slo.objective import Objective

_REPORT_ATTRIBUTE = "withstand_verdicts"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Nothing is measured yet, also when a test is run again."""
    item.stash[MEASURED] = []


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Puts a function that measures in the place of the test function, for this call."""
    objectives = objectives_of(pyfuncitem) if is_performance(pyfuncitem) else {}
    if not objectives:
        return (yield)
    if asks_for_latency(pyfuncitem):
        outcome = yield
        _require_measured(pyfuncitem, objectives)
        return outcome
    body = pyfuncitem.obj
    pyfuncitem.obj = _measuring(pyfuncitem, body, objectives)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = body


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts the verdicts on the report as plain JSON, which survives the way to the controller."""
    report = yield
    measured = item.stash.get(MEASURED, [])
    if measured and (call.when == "call" or (call.when == "setup" and not report.passed)):
        setattr(report, _REPORT_ATTRIBUTE, [
            [state, sentence if len(measured) == 1 else f"latency {number}: {sentence}"]
            for number, verdicts in enumerate(measured, start=1)
            for state, sentence in verdicts
        ])  # fmt: skip
        if report.skipped and isinstance(report.longrepr, tuple):
            # It was skipped from in here, which tells nobody which test it was.
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), (line or 0) + 1, report.longrepr[2])
    return report


def verdicts_on(report: pytest.TestReport) -> tuple[tuple[str, str], ...]:
    """What a test measured: state and sentence of each verdict."""
    found = getattr(report, _REPORT_ATTRIBUTE, ())
    return tuple((state, sentence) for state, sentence in found)


def explained_inconclusive(item: pytest.Item, measurement: "Measurement") -> str:
    """Why nothing was decided, and what to do about it."""
    budget_s = measuring_budget_s(item.config)
    remedy = "set a limit further from what the API does"
    if measurement.seconds >= budget_s:
        remedy = f"give it longer than --withstand-budget={budget_s:g}s, or {remedy}"
    return f"{measurement.explanation()}\n  → {remedy}"


def _measuring(
    item: pytest.Function, body: Callable[..., object], objectives: "Mapping[str, Objective]"
) -> Callable[..., None]:
    from withstand.pytest_plugin.repetition import measure
    from withstand.slo.verdict import VerdictState

    def measured(**arguments: Any) -> None:
        __tracebackhide__ = True
        measurement, _ = measure(item, lambda: body(**arguments), objectives)
        if measurement.verdict is VerdictState.BREACHED:
            pytest.fail(measurement.explanation(), pytrace=False)
        if measurement.verdict is VerdictState.INCONCLUSIVE:
            reason = explained_inconclusive(item, measurement)
            if inconclusive_fails(item.config):
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)

    return measured


def _require_measured(item: pytest.Function, objectives: "Mapping[str, Objective]") -> None:
    """An objective that nothing was held against would be a gate that never closes."""
    if not item.stash[MEASURED]:
        names = ", ".join(objective.text for objective in objectives.values())
        pytest.fail(
            f"the objectives of the marker performance ({names}) were held against nothing: the "
            "test asks for latency and never called it\n"
            "  → call latency(lambda: …) in it, or drop the argument to repeat the whole test",
            pytrace=False,
        )
