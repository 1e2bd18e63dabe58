"""Which rate a search tries next, and what the steps so far say."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.stats.capacity import (
    Bracket,
    End,
    Purpose,
    SearchPlan,
    Step,
    StepState,
    Tried,
    bracket,
    next_step,
)

PLAN = SearchPlan(start_per_s=20.0)
MET, BREACHED, OPEN, VOID = StepState


def searched(
    plan: SearchPlan, says: Callable[[Step], StepState], *, breaks_at: float = math.inf
) -> tuple[list[Tried], End]:
    """The steps of a search in which a rule stands for the steps' verdicts."""
    tried: list[Tried] = []
    while isinstance(step := next_step(plan, tried), Step):
        tried.append(
            Tried(
                rate_per_s=step.rate_per_s,
                purpose=step.purpose,
                state=says(step),
                duration_s=plan.warm_up_windows + step.least_windows,
                broken=step.rate_per_s >= breaks_at,
            )
        )
        assert len(tried) < 100, "the search does not end"
    return tried, step


def limit(rate_per_s: float) -> Callable[[Step], StepState]:
    return lambda step: MET if step.rate_per_s <= rate_per_s else BREACHED


@given(true=st.floats(21.0, 1e6), resolution=st.floats(1.02, 1.5))
def test_a_sharp_limit_ends_inside_a_bracket_that_is_narrow_enough(
    true: float, resolution: float
) -> None:
    plan = SearchPlan(start_per_s=20.0, resolution=resolution, budget_s=1e6)
    tried, end = searched(plan, limit(true), breaks_at=1.0)
    found = bracket(plan, tried)
    assert end is End.FOUND
    assert found.held
    assert found.low_per_s is not None
    assert found.high_per_s is not None
    assert found.low_per_s <= true < found.high_per_s
    # A rate within 2.5 % of another is not tried again.
    assert found.high_per_s / found.low_per_s <= max(resolution, 1.0253**2)


def test_the_ramp_grows_by_1_6_and_more_carefully_after_what_could_not_be_decided() -> None:
    tried, _ = searched(
        PLAN, lambda step: OPEN if 30 < step.rate_per_s < 35 else limit(60)(step), breaks_at=1.0
    )
    ramp = [step.rate_per_s for step in tried if step.purpose is Purpose.RAMP]
    assert ramp[:4] == pytest.approx([20.0, 32.0, 36.8, 58.88])


def test_undecided_rates_stay_inside_the_bracket_and_are_closed_in_on_from_both_sides() -> None:
    tried, end = searched(
        PLAN,
        lambda step: OPEN if 95 <= step.rate_per_s <= 105 else limit(100)(step),
        breaks_at=1.0,
    )
    found = bracket(PLAN, tried)
    assert end is End.FOUND
    assert found.low_per_s is not None
    assert found.high_per_s is not None
    assert found.low_per_s < 95
    assert found.high_per_s > 105
    assert found.high_per_s / found.low_per_s < 1.3


def test_a_rate_that_does_not_hold_gives_way_to_a_lower_one() -> None:
    tried, end = searched(
        PLAN,
        lambda step: limit(80 if step.purpose is Purpose.HOLD else 100)(step),
        breaks_at=1.0,
    )
    found = bracket(PLAN, tried)
    holds = [step for step in tried if step.purpose is Purpose.HOLD]
    assert [step.state for step in holds] == [BREACHED] * (len(holds) - 1) + [MET]
    assert end is End.FOUND
    assert found == Bracket(
        low_per_s=holds[-1].rate_per_s, high_per_s=holds[-2].rate_per_s, held=True
    )


def test_what_never_holds_is_given_up_and_not_said_to_hold() -> None:
    tried, end = searched(
        PLAN, lambda step: OPEN if step.purpose is Purpose.HOLD else limit(100)(step), breaks_at=1.0
    )
    assert end is End.FOUND
    assert sum(step.purpose is Purpose.HOLD for step in tried) == 5
    assert not bracket(PLAN, tried).held


def test_a_limit_below_the_start_is_found_from_above() -> None:
    tried, end = searched(PLAN, limit(3.0), breaks_at=1.0)
    found = bracket(PLAN, tried)
    assert end is End.FOUND
    assert found.held
    assert found.low_per_s is not None
    assert 2.7 <= found.low_per_s <= 3.0


def test_what_is_breached_at_the_lowest_rate_is_unattainable() -> None:
    tried, end = searched(PLAN, lambda _step: BREACHED)
    assert end is End.UNATTAINABLE
    lowest = min(step.rate_per_s for step in tried)
    assert lowest < 2 * PLAN.floor_per_s
    assert [step.rate_per_s for step in tried[-2:]] == [lowest, lowest]
    assert bracket(PLAN, tried).low_per_s is None


def test_a_hiccup_at_the_lowest_rate_is_looked_at_again() -> None:
    plan = SearchPlan(start_per_s=20.0, floor_per_s=15.0)
    hiccup = iter([BREACHED])
    tried, end = searched(plan, lambda step: next(hiccup, limit(100)(step)), breaks_at=1.0)
    assert end is End.FOUND
    assert bracket(plan, tried).held
    assert [step.rate_per_s for step in tried[:3]] == pytest.approx([20.0, 20.0, 32.0])


def test_two_undecided_rates_at_the_start_end_the_search() -> None:
    tried, end = searched(PLAN, lambda _step: OPEN)
    assert end is End.UNDECIDABLE
    assert [step.rate_per_s for step in tried] == [20.0, 12.5]


def test_no_rate_below_the_floor_is_tried() -> None:
    plan = SearchPlan(start_per_s=20.0, floor_per_s=15.0)
    tried, end = searched(plan, limit(10.0))
    assert end is End.UNATTAINABLE
    assert all(step.rate_per_s >= 15.0 for step in tried)


def test_the_ceiling_is_tried_held_and_never_passed() -> None:
    plan = SearchPlan(start_per_s=20.0, ceiling_per_s=70.0)
    tried, end = searched(plan, limit(1000.0))
    assert end is End.FOUND
    assert [step.rate_per_s for step in tried] == pytest.approx([20.0, 32.0, 51.2, 70.0, 70.0])
    assert bracket(plan, tried) == Bracket(low_per_s=70.0, high_per_s=None, held=True)


def test_the_required_rate_is_tried_itself() -> None:
    plan = SearchPlan(start_per_s=20.0, required_per_s=70.0)
    tried, _ = searched(plan, limit(75.0), breaks_at=1.0)
    assert 70.0 in [step.rate_per_s for step in tried]


def test_a_generator_that_stumbles_once_gets_a_second_chance() -> None:
    stumbled: list[float] = []

    def says(step: Step) -> StepState:
        if step.rate_per_s > 30 and step.rate_per_s not in stumbled:
            stumbled.append(step.rate_per_s)
            return VOID
        return limit(100)(step)

    tried, end = searched(PLAN, says, breaks_at=1.0)
    assert end is End.FOUND
    assert bracket(PLAN, tried).held


def test_a_generator_that_fails_twice_ends_the_search_but_what_it_could_do_is_held() -> None:
    tried, end = searched(PLAN, lambda step: VOID if step.rate_per_s > 40 else MET)
    assert end is End.GENERATOR
    assert [(step.rate_per_s, step.state) for step in tried] == [
        (20.0, MET),
        (32.0, MET),
        (pytest.approx(51.2), VOID),
        (pytest.approx(51.2), VOID),
        (32.0, MET),
    ]
    assert bracket(PLAN, tried) == Bracket(low_per_s=32.0, high_per_s=None, held=True)


def test_the_time_is_kept_and_leaves_room_for_the_hold() -> None:
    plan = SearchPlan(start_per_s=20.0, budget_s=80.0)
    tried, end = searched(plan, limit(1e5))
    assert end is End.BUDGET
    assert tried[-1].purpose is Purpose.HOLD
    assert sum(step.duration_s for step in tried) <= 80.0


def test_what_has_not_broken_yet_is_driven_on_until_it_breaks() -> None:
    tried, end = searched(PLAN, limit(50.0), breaks_at=200.0)
    broken = [step for step in tried if step.purpose is Purpose.BREAK]
    assert end is End.FOUND
    assert [step.broken for step in broken] == [False] * (len(broken) - 1) + [True]
    # A step that broke because of its rate says nothing of the bracket.
    assert bracket(PLAN, tried).held


@given(st.lists(st.sampled_from(StepState), min_size=1, max_size=60))
def test_a_search_ends_whatever_the_steps_say(states: list[StepState]) -> None:
    answers = iter(states)
    tried, _ = searched(PLAN, lambda _step: next(answers, BREACHED))
    assert sum(step.duration_s for step in tried) <= PLAN.budget_s
