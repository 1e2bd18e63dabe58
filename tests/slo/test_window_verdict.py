"""Objectives over stretches of time, counted in every stretch of a run."""

import random
from dataclasses import replace

import pytest

from tests.test_slo import MS, Rule, measured, run_of, steady, verdict
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.window import united
from withstand.slo import VerdictState, judge, parse_objective
from withstand.stats.histogram import Histogram, merged


def bad_from(start: int, end: int, *, slow: int, per_s: int = 100) -> LoadMeasurement:
    """A minute with `slow` slow requests in each second from one to another."""
    rule: Rule = lambda second, i: (500 if start <= second < end and i < slow else 50, 200)  # noqa: E731 - a rule is a function of second and index
    return run_of(measured(rule, seconds=60, per_s=per_s), duration_s=60)


def test_the_worst_stretch_is_named_wherever_it_begins() -> None:
    judged = verdict("p99<200ms over 10s", bad_from(41, 45, slow=3))
    assert judged.state is VerdictState.BREACHED
    assert judged.stretch is not None
    start, end = judged.stretch
    assert (start <= 41, end >= 45, end - start) == (True, True, 10)
    assert judged.observed == pytest.approx(500 * MS, rel=0.004)
    assert "12 of 1,000 requests" in judged.reason
    assert "10 may" in judged.reason
    assert "7 of 51 stretches" in judged.reason


def test_what_the_whole_run_forgives_a_stretch_does_not() -> None:
    run = bad_from(41, 45, slow=3)
    assert verdict("p99<200ms", run).state is VerdictState.MET
    assert verdict("p99<200ms over 10s", run).state is VerdictState.BREACHED
    assert verdict("p99<200ms over 15s", run).state is VerdictState.MET


def test_exactly_as_many_as_may_be_slow_are_no_breach() -> None:
    assert verdict("p99<200ms over 10s", bad_from(20, 25, slow=2)).state is VerdictState.MET
    assert verdict("p99<200ms over 10s", bad_from(20, 31, slow=1)).state is VerdictState.MET
    assert verdict("p90<200ms over 1s", bad_from(20, 25, slow=10)).state is VerdictState.MET
    assert verdict("p90<200ms over 1s", bad_from(20, 25, slow=11)).state is VerdictState.BREACHED


@pytest.mark.parametrize(
    ("slow", "state"),
    [(0, VerdictState.MET), (1, VerdictState.INCONCLUSIVE), (2, VerdictState.BREACHED)],
)
def test_one_slow_request_among_too_few_for_the_quantile_cannot_tell(
    slow: int, state: VerdictState
) -> None:
    run = bad_from(20, 21, slow=slow, per_s=4)
    judged = verdict("p99<200ms over 10s", run)
    assert judged.state is state
    assert ("fewer than 100 requests" in judged.reason) is (slow == 1)


def test_the_quantile_of_the_worst_stretch_is_that_of_its_requests() -> None:
    draw = random.Random(3)
    operation = measured(lambda *_: (draw.lognormvariate(4, 0.5), 200), seconds=30)
    judged = verdict("p95<10s over 7s", run_of(operation, duration_s=30))
    by_second = {window.second: window.response_time for window in operation.windows}
    p95s = {
        start: merged(by_second[start + i] for i in range(7)).quantile(0.95) or 0
        for start in range(24)
    }
    worst = max(p95s, key=lambda start: p95s[start])
    assert judged.stretch == (worst, worst + 7)
    assert judged.observed == pytest.approx(p95s[worst], rel=1e-6)


def test_errors_are_slower_than_any_limit_and_counted_on_their_own() -> None:
    run = run_of(
        measured(lambda second, i: (1, 500 if second == 7 and i < 30 else 200)), duration_s=20
    )
    judged = verdict("p99<1s over 2s", run)
    assert (judged.state, judged.observed) == (VerdictState.BREACHED, None)
    judged = verdict("errors<10% over 2s", run)
    assert (judged.state, judged.observed) == (VerdictState.BREACHED, 0.15)
    assert verdict("errors<20% over 2s", run).state is VerdictState.MET
    assert verdict("errors=0 over 2s", run).state is VerdictState.BREACHED
    assert verdict("max<1s over 2s", run).state is VerdictState.BREACHED


def test_the_average_and_the_maximum_of_a_stretch() -> None:
    run = bad_from(10, 12, slow=50)
    judged = verdict("avg<200ms over 2s", run)
    assert (judged.state, judged.stretch) == (VerdictState.BREACHED, (10, 12))
    assert judged.observed == pytest.approx(275 * MS)
    assert verdict("avg<300ms over 2s", run).state is VerdictState.MET
    assert verdict("max<501ms over 2s", run).observed == 500 * MS


def test_a_rate_over_a_stretch_is_that_of_all_operations_unless_one_is_named() -> None:
    def failing(second: int, i: int) -> tuple[float, int]:
        return 1, 500 if second == 5 and i < 50 else 200

    run = run_of(measured(failing), measured(steady(1), operation="POST /users"))
    whole = verdict("rps>200 over 1s", run)
    assert (whole.operation, whole.state) == ("*", VerdictState.BREACHED)
    assert (whole.observed, whole.stretch) == (150, (5, 6))
    (single,) = judge([parse_objective("rps>100 over 1s", operation="POST /users")], run)
    assert single.state is VerdictState.MET
    never = verdict("rps>300 over 1s", run)
    assert never.state is VerdictState.INCONCLUSIVE
    assert "offer" in never.reason


def served_in_1_ms(run: LoadMeasurement) -> LoadMeasurement:
    (operation,) = run.operations.values()
    windows = tuple(
        replace(window, service_time=Histogram([MS] * window.requests))
        for window in operation.windows
    )
    fast = OperationMeasurement.of(operation.operation, windows)
    return replace(run, operations={operation.operation: fast})


def test_what_the_generators_own_lateness_explains_is_not_the_targets() -> None:
    run = bad_from(20, 25, slow=5)
    late = replace(run, generator=replace(run.generator, send_lag=Histogram([400 * MS])))
    for text in ("p99<200ms over 10s", "avg<60ms over 10s", "max<200ms over 10s"):
        assert verdict(text, late).state is VerdictState.BREACHED  # served slowly as well
        judged = verdict(text, served_in_1_ms(late))
        assert judged.state is VerdictState.INCONCLUSIVE
        assert "400 ms late" in judged.reason
        assert verdict(text, served_in_1_ms(run)).state is VerdictState.BREACHED


def test_a_saturated_generator_decides_no_latency_and_no_missed_rate() -> None:
    run = replace(bad_from(20, 25, slow=5))
    run = replace(run, generator=replace(run.generator, saturated="it was full"))
    for text in ("p99<200ms over 10s", "p99<1s over 10s", "rps>101 over 10s"):
        assert verdict(text, run).state is VerdictState.INCONCLUSIVE
    assert verdict("errors<1% over 10s", run).state is VerdictState.MET


def test_a_run_shorter_than_the_stretch_decides_nothing() -> None:
    judged = verdict("p99<1s over 30s", run_of(measured(steady(1))))
    assert judged.state is VerdictState.INCONCLUSIVE
    assert "only 20 s of the run count" in judged.reason


def test_wider_windows_make_only_stretches_of_their_multiples() -> None:
    run = bad_from(41, 45, slow=3)
    (operation,) = run.operations.values()
    windows = [replace(window, second=window.second) for window in operation.windows]
    widened = united([replace(windows[0], width_s=4), *windows])
    wide = replace(run, operations={"GET /users": OperationMeasurement.of("GET /users", widened)})
    judged = verdict("p99<200ms over 10s", wide)
    assert judged.state is VerdictState.INCONCLUSIVE
    assert "windows of 4 s" in judged.reason
    assert verdict("p99<200ms over 8s", wide).stretch == (40, 48)


def test_the_warm_up_belongs_to_no_stretch() -> None:
    cold = bad_from(0, 2, slow=50)
    assert verdict("p99<200ms over 5s", cold).state is VerdictState.BREACHED
    assert verdict("p99<200ms over 5s", replace(cold, warm_up_s=2)).state is VerdictState.MET
    assert verdict("p99<200ms over 5s", replace(cold, warm_up_s=1)).stretch == (1, 6)


def test_a_windowed_objective_leaves_that_of_the_whole_run_alone() -> None:
    run = run_of(measured(steady(1)))
    objectives = [
        parse_objective("p95<1s"),
        parse_objective("p95<2s over 5s", operation="GET /users"),
    ]
    assert [each.objective.text for each in judge(objectives, run)] == [
        "p95<1s",
        "p95<2s over 5s",
    ]
