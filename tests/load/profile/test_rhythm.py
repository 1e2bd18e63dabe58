"""Think times and pacing as arithmetic."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.load.profile.rhythm import (
    Iteration,
    Pacing,
    ThinkTime,
    parse_pacing,
    parse_think_time,
)

S = 1_000_000_000


def iteration(user: int = 0, turn: int = 1, due_ns: int = 0, ended_ns: int = 0) -> Iteration:
    return Iteration(user=user, turn=turn, due_ns=due_ns, ended_ns=ended_ns)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, S), st.integers(0, S))
def test_a_think_time_lies_in_its_range_and_depends_on_user_and_turn_alone(
    user: int, turn: int, least_ns: int, more_ns: int
) -> None:
    think = ThinkTime(least_ns=least_ns, most_ns=least_ns + more_ns + 1)
    first = think.next_ns(iteration(user, turn, ended_ns=5 * S)) - 5 * S
    assert least_ns <= first <= think.most_ns
    assert think.next_ns(iteration(user, turn, due_ns=7, ended_ns=0)) == first


def test_think_times_are_spread_evenly_over_users_and_over_turns() -> None:
    think = ThinkTime(least_ns=S, most_ns=3 * S)
    over_users = [think.next_ns(iteration(user, 1)) / S for user in range(4_000)]
    over_turns = [think.next_ns(iteration(3, turn)) / S for turn in range(4_000)]
    for draws in (over_users, over_turns):
        # Even from 1 to 3: mean 2, variance 1/3; standard errors of 0.009 and 0.005.
        assert statistics.mean(draws) == pytest.approx(2, abs=0.03)
        assert statistics.variance(draws) == pytest.approx(1 / 3, abs=0.02)
        assert statistics.correlation(draws[1:], draws[:-1]) == pytest.approx(0, abs=0.05)
    other = ThinkTime(least_ns=S, most_ns=3 * S, seed=2)
    assert other.next_ns(iteration(0, 1)) / S != over_users[0]


def test_a_paced_iteration_is_due_one_period_after_the_one_before_was() -> None:
    pacing = Pacing(every_ns=2 * S)
    assert pacing.next_ns(iteration(due_ns=10 * S, ended_ns=10 * S + 5)) == 12 * S
    assert pacing.next_ns(iteration(due_ns=10 * S, ended_ns=17 * S)) == 12 * S


@given(st.integers(0, 100 * S), st.floats(0, 0.999))
def test_the_first_iteration_has_the_users_phase_within_one_period_of_its_begin(
    begin_ns: int, phase: float
) -> None:
    for rhythm in (Pacing(every_ns=2 * S), ThinkTime(least_ns=2 * S, most_ns=2 * S)):
        first_ns = rhythm.first_ns(begin_ns=begin_ns, phase=phase)
        assert begin_ns <= first_ns < begin_ns + 2 * S
        assert first_ns % (2 * S) == int(phase * 2 * S)


def test_what_is_left_of_the_first_think_time_is_distributed_as_renewal_theory_says() -> None:
    """Of times even on 1 to 3: P(left > t) = 1 - t/2 up to 1, and (3 - t)² / 8 from there on."""
    think = ThinkTime(least_ns=S, most_ns=3 * S)
    left = [think.first_ns(begin_ns=0, phase=(n + 0.5) / 10_000) / S for n in range(10_000)]
    for at in (0.25, 0.5, 1.0):
        assert sum(each > at for each in left) / 10_000 == pytest.approx(1 - at / 2, abs=2e-4)
    for at in (1.5, 2.0, 2.5):
        assert sum(each > at for each in left) / 10_000 == pytest.approx(
            (3 - at) ** 2 / 8, abs=2e-4
        )
    assert max(left) <= 3


def test_rhythms_are_read_as_they_are_written_and_say_what_they_are() -> None:
    assert parse_think_time("1s..3s") == ThinkTime(least_ns=S, most_ns=3 * S)
    assert parse_think_time("500ms") == ThinkTime(least_ns=S // 2, most_ns=S // 2)
    assert parse_think_time("0s") is None
    assert parse_pacing("2s") == Pacing(every_ns=2 * S)
    assert ThinkTime(least_ns=S, most_ns=3 * S).describe() == "1.00 s to 3.00 s of think time"
    assert ThinkTime(least_ns=S, most_ns=S).describe() == "1.00 s of think time"
    assert Pacing(every_ns=2 * S).describe() == "an iteration every 2.00 s"


@pytest.mark.parametrize("text", ["3s..1s", "1s..", "..2s", "soon", "1s...3s"])
def test_a_think_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_think_time(text)
    assert caught.value.hint


def test_a_pacing_of_no_time_is_refused() -> None:
    with pytest.raises(UsageError, match="no time between"):
        parse_pacing("0s")
