"""The truth that the engine is held against: its closed form, and the server's own log."""

import pytest

from withstand.errors import UsageError
from withstand.selftest.truth import (
    StallPattern,
    longest_drain_ns,
    quantile_of,
    schedule_zero_ns,
    waits_ns,
)

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("q", "seconds"),
    [(0.5, 0.0), (0.79, 0.0), (0.8, 0.0), (0.9, 0.5), (0.95, 0.75), (0.99, 0.95), (0.999, 0.995)],
)
def test_a_second_in_five_has_the_quantiles_that_one_derives_by_hand(
    q: float, seconds: float
) -> None:
    assert StallPattern(every_s=5, stall_s=1).quantile_s(q) == pytest.approx(seconds)


def test_the_quantile_is_the_inverse_of_the_share_that_waits_longer() -> None:
    pattern = StallPattern(every_s=7, stall_s=3)
    for q in (0.6, 0.75, 0.9, 0.999):
        assert pattern.share_longer(pattern.quantile_s(q)) == pytest.approx(1 - q)
    assert pattern.share_longer(0) == pytest.approx(3 / 7)
    assert pattern.share_longer(3) == pattern.share_longer(9) == 0


@pytest.mark.parametrize(("every_s", "stall_s"), [(5, 0), (5, 5), (5, 6), (5, -1), (0, 0)])
def test_a_pattern_that_never_or_always_stalls_is_refused(every_s: float, stall_s: float) -> None:
    with pytest.raises(UsageError, match="is not possible"):
        StallPattern(every_s=every_s, stall_s=stall_s)


def test_who_comes_during_a_stall_waits_for_its_end_and_nobody_else_waits() -> None:
    stalls = [(100, 150), (300, 310)]
    assert waits_ns(stalls, [99]) == [0]
    assert waits_ns(stalls, [100]) == [50]
    assert waits_ns(stalls, [149]) == [1]
    assert waits_ns(stalls, [150]) == [0]
    assert waits_ns(stalls, [0, 120, 305, 500]) == [0, 0, 5, 30]
    assert waits_ns([], [1, 2]) == [0, 0]


def test_the_log_of_a_punctual_server_gives_the_closed_form() -> None:
    pattern = StallPattern(every_s=5, stall_s=1)
    stalls = [(2 * S + k * 5 * S, 3 * S + k * 5 * S) for k in range(6)]
    waits = waits_ns(stalls, (i * S // 2000 for i in range(60_000)))  # 2,000/s for 30 s
    for q in (0.5, 0.9, 0.95, 0.99, 0.999):
        assert quantile_of(waits, q) / S == pytest.approx(pattern.quantile_s(q), abs=0.001)


def test_a_stall_that_lasted_longer_than_planned_is_true_as_it_was() -> None:
    # One period of 1 s at 1,000/s, blocked for 300 ms instead of 200: p90 is 200 ms, not 100.
    waits = waits_ns([(400 * MS, 700 * MS)], (i * MS for i in range(1000)))
    assert quantile_of(waits, 0.9) / MS == pytest.approx(200, abs=1)
    assert StallPattern(every_s=1, stall_s=0.2).quantile_s(0.9) == pytest.approx(0.1)


def test_what_a_stall_held_up_has_gone_through_when_the_last_of_it_arrives() -> None:
    starts = [90, 100, 110, 120, 130, 200, 210]
    arrivals = [91, 125, 126, 131, 132, 201, 214]
    assert longest_drain_ns([(95, 124)], starts, arrivals) == 131 - 124
    assert longest_drain_ns([(95, 124), (205, 212)], starts, arrivals) == 7
    assert longest_drain_ns([(95, 124), (205, 212)], starts, arrivals[:5]) == 7
    assert longest_drain_ns([], starts, arrivals) == 0
    assert longest_drain_ns([(50, 60)], starts, arrivals) == 0


def test_a_schedule_began_when_its_promptest_arrival_says_so() -> None:
    offsets = [0, 100, 200, 300]
    assert schedule_zero_ns([57, 103, 204, 399], offsets) == 3
    assert schedule_zero_ns([57, 399], offsets) == 57
    with pytest.raises(ValueError, match="min"):
        schedule_zero_ns([], offsets)


def test_no_values_have_no_quantiles() -> None:
    with pytest.raises(ValueError, match="no quantiles"):
        quantile_of([], 0.5)
