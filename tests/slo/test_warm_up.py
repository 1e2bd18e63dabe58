"""What is left out of verdicts at the start of a run, and what still moves after it."""

import random
from dataclasses import replace

import pytest

from tests.test_slo import measured, run_of, steady, verdict
from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement
from withstand.slo import VerdictState, judge, parse_objective, timing
from withstand.slo.warm_up import judged, rise
from withstand.stats.histogram import merged


@pytest.mark.parametrize(
    ("duration_s", "wanted_s", "left_out_s"),
    [(10, None, 0), (11, None, 1), (60, None, 1), (1800, None, 3), (60, 5, 5), (60, 0, 0)],
)
def test_the_first_window_is_left_out_of_runs_that_can_spare_it(
    duration_s: float, wanted_s: float | None, left_out_s: int
) -> None:
    assert timing([], duration_s=duration_s, warm_up_s=wanted_s).warm_up_s == left_out_s


def test_a_warm_up_is_made_of_whole_windows() -> None:
    assert timing([], duration_s=60, warm_up_s=1.2).warm_up_s == 2
    assert timing([], duration_s=1800, warm_up_s=4).warm_up_s == 6


def test_windows_are_as_narrow_as_the_stretches_need() -> None:
    def width(duration_s: float, *texts: str) -> int:
        objectives = [parse_objective(text) for text in texts]
        return timing(objectives, duration_s=duration_s).width_s

    assert width(1800) == width(1800, "p95<1s") == 3
    assert width(1800, "p95<1s over 10s") == 2
    assert width(1800, "p95<1s over 30s") == 3
    assert width(1800, "p95<1s over 30s", "rps>1 over 10s") == 2
    assert width(28800, "p95<1s over 10s") == 10


@pytest.mark.parametrize(
    ("text", "duration_s", "warm_up_s", "said"),
    [
        ("p95<1s over 1s", 28_800, None, "28,800 windows"),
        ("p95<1s over 30s", 20, None, "cannot be judged in a run of 20 s"),
        ("p95<1s over 10s", 12, 5, "of which 5 s are its warm-up"),
        ("p95<1s", 12, 12, "leaves nothing"),
    ],
)
def test_a_run_that_could_not_be_judged_is_refused_before_it_begins(
    text: str, duration_s: float, warm_up_s: float | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        timing([parse_objective(text)], duration_s=duration_s, warm_up_s=warm_up_s)


def test_the_warm_up_counts_for_no_objective_and_stays_in_the_measurement() -> None:
    cold = run_of(measured(lambda second, _: (500, 500) if second < 5 else (50, 200)))
    for text in ("p95<200ms", "errors<1%", "avg<100ms", "max<200ms", "errors=0"):
        assert verdict(text, cold).state is not VerdictState.MET
    warm = replace(cold, warm_up_s=5)
    for text in ("p95<200ms", "errors<3%", "avg<100ms", "max<200ms", "errors=0", "rps>100"):
        assert verdict(text, warm).state is VerdictState.MET, text
        assert verdict(text, warm).samples == 1500
    assert sum(each.requests for each in warm.operations.values()) == 2000
    assert judged(warm).offered == 1500


def test_without_a_warm_up_a_run_is_judged_as_it_is() -> None:
    run = run_of(measured(steady(50)))
    assert judged(run) is run


def drifting(by_ms: float) -> LoadMeasurement:
    """A minute at about 100 ms, of which the last second takes `by_ms` more than the first."""
    draw = random.Random(4)
    operation = measured(
        lambda second, _: (100 + by_ms * second / 60 + draw.gauss(0, 5), 200), seconds=60
    )
    return run_of(operation, duration_s=60)


def test_what_is_met_but_rises_towards_its_limit_is_inconclusive() -> None:
    run = drifting(60)
    judged_now = verdict("p95<170ms", run)
    assert judged_now.state is VerdictState.INCONCLUSIVE
    assert "rose by" in judged_now.reason
    assert verdict("p95<400ms", run).state is VerdictState.MET


def test_what_stands_still_or_falls_is_met() -> None:
    assert verdict("p95<115ms", drifting(0)).state is VerdictState.MET
    assert verdict("p95<120ms", drifting(-60)).state is VerdictState.MET


def test_the_warm_up_changes_no_error_rate_at_the_limit_and_standing_still_is_seldom_doubted() -> (
    None
):
    draw = random.Random(11)

    def states(share: float) -> list[tuple[VerdictState, str]]:
        found = []
        for _ in range(50):
            operation = measured(
                lambda *_: (draw.gauss(300, 20) if draw.random() < share else 100, 200),
                seconds=21,
                per_s=40,
            )
            run = replace(run_of(operation, duration_s=21), warm_up_s=1)
            (found_verdict,) = judge([parse_objective("p90<200ms")], run)
            found.append((found_verdict.state, found_verdict.reason))
        return found

    at_limit = [state for state, _ in states(0.10)]
    assert at_limit.count(VerdictState.MET) <= 3  # 2 % of 50 are 1
    assert at_limit.count(VerdictState.BREACHED) <= 3
    clear = states(0.05)
    assert sum("rose by" in reason for _, reason in clear) <= 1
    assert sum(state is VerdictState.MET for state, _ in clear) >= 33


def test_a_latency_that_rises_with_the_rate_says_nothing_of_the_same_rate_for_longer() -> None:
    draw = random.Random(4)
    operation = measured(lambda second, _: (100 + second + draw.gauss(0, 5), 200), seconds=60)
    growing = [
        replace(window, response_time=merged([window.response_time] * (1 + window.second)))
        for window in operation.windows
    ]
    assert rise(operation.windows, 0.95, model="open") == pytest.approx(0.55, abs=0.1)
    assert rise(growing, 0.95, model="open") is None
    assert rise(growing, 0.95, model="closed") is not None
    assert rise(operation.windows[:11], 0.95, model="open") is None
