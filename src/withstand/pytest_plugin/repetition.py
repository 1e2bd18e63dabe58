"""The procedure of every measured call: warm-up, repetition within a budget, confirmation.

What counts as one value is the time that the clients of the plugin spent on requests during one
call, or the time of the whole call when it made no request with one.
"""

import time
from collections.abc import Callable, Mapping
from math import inf
from typing import Final

import pytest

from withstand.errors import UsageError
from withstand.pytest_plugin.measurement import Measurement
from withstand.pytest_plugin.options import measuring_budget_s
from withstand.pytest_plugin.run_record import MEASURED, RUN, RunRecord
from withstand.slo.objective import Indicator, Objective
from withstand.slo.trial import Trial

# The first calls pay for connections and caches; they do not count. Slow calls warm up with fewer:
# ten of three seconds would leave nothing of the budget.
_WARM_UP_CALLS: Final = 10
_WARM_UP_SHARE: Final = 0.1
# Between a breach and the sample that has to reproduce it: a short burst should be over.
_PAUSE_S: Final = 1.0

Call = Callable[[], object]


def measure(
    item: pytest.Item, call: Call, objectives: Mapping[str, Objective]
) -> tuple[Measurement, object]:
    """Repeats the call until its objectives are decided or the budget is spent, and notes what was
    measured for the reports of the test. With it comes what the last call returned.

    Where no share of failures is tolerated, the exception of a call that fails is raised as it is.
    Raises UsageError inside another measured call.
    """
    __tracebackhide__ = True
    run = item.config.stash[RUN]
    if run.requests_ns is not None:
        raise UsageError(
            "a call cannot be measured inside a call that is measured and repeated itself",
            hint="name latency among the arguments of the test, and call it in its body",
        )
    trial = Trial(item.nodeid, tuple(objectives.values()), noun="call")
    measurement, result = repeat(
        call,
        trial,
        run=run,
        budget_s=measuring_budget_s(item.config),
        tolerant=any(each.indicator is Indicator.ERRORS and each.limit
                     for each in objectives.values()),
    )  # fmt: skip
    noted = item.stash.setdefault(MEASURED, [])
    noted.append(tuple(zip(
        (verdict.state.value for verdict in measurement.verdicts),
        measurement.sentences(), strict=True,
    )))  # fmt: skip
    prefix = "withstand." if len(noted) == 1 else f"withstand.{len(noted)}."
    item.user_properties.extend(measurement.properties(prefix))
    return measurement, result


def repeat(
    call: Call, trial: Trial, *, run: RunRecord, budget_s: float, tolerant: bool
) -> tuple[Measurement, object]:
    """The measured calls, and what the last one that did not fail returned."""
    __tracebackhide__ = True
    started_at = time.monotonic()
    give_up_at = started_at + budget_s
    warm_at = started_at + _WARM_UP_SHARE * budget_s
    elapsed_ns: list[float] = []
    last_error: BaseException | None = None
    result: object = None
    called, warm = 0, False
    while not trial.done and (called == 0 or time.monotonic() < give_up_at):
        if trial.at_pause:
            time.sleep(_PAUSE_S)
        if not warm:
            warm = called >= _WARM_UP_CALLS or (called > 0 and time.monotonic() > warm_at)
        spent_ns, returned, error = _timed(call, run)
        called += 1
        if error is None:
            result = returned
        elif not tolerant:
            raise error
        if warm:
            last_error = error or last_error
            failed = error is not None
            elapsed_ns.append(inf if failed else spent_ns)
            trial.add(spent_ns, failed=failed)
    trial.close()
    measurement = Measurement(
        verdicts=trial.verdicts(),
        elapsed_ns=sorted(elapsed_ns),
        seconds=time.monotonic() - started_at,
        last_failure=None if last_error is None else _in_a_line(last_error),
    )
    return measurement, result


def _timed(call: Call, run: RunRecord) -> tuple[float, object, BaseException | None]:
    __tracebackhide__ = True
    requests_ns: list[int] = []
    run.requests_ns = requests_ns
    result: object = None
    error: BaseException | None = None
    started_ns = time.perf_counter_ns()
    try:
        result = call()
    except UsageError:  # a mistake in the test is no answer of the API
        raise
    except (Exception, pytest.fail.Exception) as problem:
        error = problem
    finally:
        call_ns = time.perf_counter_ns() - started_ns
        run.requests_ns = None
    return (sum(requests_ns) if requests_ns else call_ns), result, error


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
