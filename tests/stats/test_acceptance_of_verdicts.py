"""The acceptance figures of the sequential verdict, over a part of the runs.

benchmarks/statistics/verdicts.py holds them over all; docs/statistics.md is what it found.
"""

from collections.abc import Iterable

import pytest

from tests.stats.acceptance_of_verdicts import NAIVE, ROWS, Bound, Row
from tests.stats.simulated_latencies import DEPENDENT, IN_TURN, INDEPENDENT, SHAPES
from tests.stats.simulated_verdicts import MOST, Case, Tally, stopwatch_says_slow, tallied
from withstand.slo import VerdictState, parse_objective
from withstand.slo.trial import Trial


def _together(services: Iterable[str], share: float, *, runs: int) -> Tally:
    found = (tallied(Case(service=name, share=share), range(runs)) for name in services)
    return sum(found, Tally())


@pytest.mark.parametrize(("share", "most"), [(0.05, 0.005), (0.025, 0.001)])
def test_requests_that_resemble_each_other_cause_no_false_breach(share: float, most: float) -> None:
    tally = _together(DEPENDENT, share, runs=15)

    assert Bound(of="breached", most=most).may_hold(tally)


def test_the_shape_of_the_latencies_does_not_matter() -> None:
    tally = _together(SHAPES, 0.025, runs=40)

    assert Bound(of="breached", most=0.001).may_hold(tally)
    assert Bound(of="met", least=0.98).may_hold(tally)


def test_operations_called_in_turn_are_not_fooled_by_bursts() -> None:
    in_turn = _together([IN_TURN], 0.10, runs=40)
    alone = _together(["bursts of 30"], 0.10, runs=40)

    assert Bound(of="breached", least=0.85).may_hold(in_turn)
    assert Bound(of="met", most=0.04).may_hold(in_turn)
    assert alone.met > 10 * max(in_turn.met, 1)


def test_a_stopwatch_cries_wolf_where_the_verdict_does_not() -> None:
    case, runs = Case(service=INDEPENDENT, share=0.025), 1_500
    for requests, (least, most) in NAIVE.items():
        slow = sum(stopwatch_says_slow(case, run, requests=requests) for run in range(runs))
        assert least <= slow / runs <= most

    assert tallied(case, range(150)).breached == 0


@pytest.mark.parametrize(("q", "most"), MOST.items())
def test_a_trial_gives_up_where_the_simulation_does(q: float, most: int) -> None:
    trial = Trial("GET /users", [parse_objective(f"p{100 * q:g}<200ms")])
    every = round(1 / (1 - q))
    while not trial.done:
        trial.add(3e8 if trial.requests % every == every - 1 else 1e8)

    assert trial.requests == most
    assert trial.verdicts()[0].state is VerdictState.INCONCLUSIVE


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.id}, {row.case.service}, {row.case.share}"
)
def test_every_acceptance_figure_may_hold(row: Row) -> None:
    tally = tallied(row.case, range(150))

    assert [bound for bound in row.bounds if not bound.may_hold(tally)] == [], tally
