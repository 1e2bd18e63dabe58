"""The search on queues whose limit is known, by the very code that the verb runs.

A few searches here; benchmarks/statistics/capacity.py runs the full table.
"""

import random

import pytest

from tests.slo.simulated_queue import Queue, search
from withstand.errors import UsageError
from withstand.slo import VerdictState, parse_objective
from withstand.slo.capacity import Capacity, capacity, least_rate_per_s, objectives_of_a_step
from withstand.stats.capacity import End, SearchPlan

P95 = (parse_objective("p95<100ms"),)
# Erlang C: the rate at which 5 % of an M/M/8 queue's customers take over 100 ms, with 20 ms of
# service (Gross and Harris, Fundamentals of Queueing Theory, 3rd ed., 2.3).
TRUE_PER_S = 360.9


def found(seed: int, plan: SearchPlan, text: str = "p95<100ms") -> Capacity:
    objectives = (parse_objective(text),)
    queue = Queue(random.Random(seed), lambda draw: draw.expovariate(50.0))
    return capacity(objectives, search(queue, objectives, plan))


def test_the_sustainable_rate_of_a_queue_is_found() -> None:
    result = found(1, SearchPlan(start_per_s=150.0))
    assert result.end is End.FOUND
    assert result.sustainable_per_s is not None
    assert result.bracket.high_per_s is not None
    assert 0.88 * TRUE_PER_S <= result.sustainable_per_s <= 1.03 * TRUE_PER_S
    assert result.bracket.high_per_s >= 0.97 * TRUE_PER_S
    assert [each.objective.text for each in result.limiting] == ["p95<100ms"]
    assert result.breaking is not None
    assert result.breaking.step.rate_per_s > 400.0
    assert result.most_answered_per_s == pytest.approx(400.0, rel=0.1)


def test_an_objective_that_an_idle_server_only_just_meets_is_said_to_be_undecidable() -> None:
    # 20 ms exponential: the p95 of an idle server is 59.9 ms.
    result = found(3, SearchPlan(start_per_s=100.0), "p95<60ms")
    assert result.sustainable_per_s is None
    assert result.end in (End.UNDECIDABLE, End.UNATTAINABLE)


def test_an_objective_that_an_idle_server_misses_is_unattainable() -> None:
    result = found(4, SearchPlan(start_per_s=50.0, floor_per_s=20.0), "p95<20ms")
    assert result.end is End.UNATTAINABLE
    assert result.fails


@pytest.mark.parametrize(
    ("required", "state"),
    [(200.0, VerdictState.MET), (450.0, VerdictState.BREACHED)],
)
def test_the_required_rate_has_a_verdict(required: float, state: VerdictState) -> None:
    plan = SearchPlan(start_per_s=200.0, required_per_s=required, resolution=1.3, hold_windows=10)
    result = found(5, plan)
    assert result.required is state
    assert result.fails is (state is VerdictState.BREACHED)
    assert result.found is (state is VerdictState.MET)


def test_a_spotless_step_at_the_floor_is_met_and_below_it_could_not_be() -> None:
    plan = SearchPlan(start_per_s=1.0)
    floor_per_s = least_rate_per_s(P95, {"GET /work": 1.0}, plan)
    # t(.98) with 9 degrees of freedom is 2.398: t² (1 - p) / p for p = .05, over 40 seconds.
    assert floor_per_s == pytest.approx(1.01 * 2.398**2 * 19 / 40, rel=0.001)


def test_the_rarest_operation_sets_the_floor() -> None:
    plan = SearchPlan(start_per_s=1.0)
    alone = least_rate_per_s(P95, {"GET /a": 1.0}, plan)
    assert least_rate_per_s(P95, {"GET /a": 0.9, "GET /b": 0.1}, plan) == pytest.approx(10 * alone)


def test_without_an_objective_for_what_is_sent_there_is_nothing_to_search() -> None:
    elsewhere = (parse_objective("p95<100ms", operation="GET /other"),)
    with pytest.raises(UsageError, match="no objective applies"):
        least_rate_per_s(elsewhere, {"GET /work": 1.0}, SearchPlan(start_per_s=1.0))


def test_rates_and_memory_are_no_objectives_of_a_step() -> None:
    texts = ("p95<1s", "rps>5", "errors<1%", "memory_growth<1MB", "avg<1s", "max<1s")
    kept = objectives_of_a_step([parse_objective(text) for text in texts])
    assert [each.text for each in kept] == ["p95<1s", "errors<1%", "avg<1s", "max<1s"]
