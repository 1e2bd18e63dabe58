"""What was measured says what was said when it was measured, and why nothing was."""

import random
from dataclasses import replace

import pytest

from withstand.errors import UsageError
from withstand.sharding import Shard
from withstand.slo import VerdictState, parse_objective
from withstand.slo.trial import Trial
from withstand.slo.trial_plan import TrialPlan, digest_of_plan, share_of
from withstand.slo.trial_record import (
    TrialRecord,
    TrialShare,
    judge_trials,
    merge_trials,
    same_requests,
    trials_shortfall,
)
from withstand.stats.durations import Durations

MS = 1_000_000
P95 = parse_objective("p95<200ms")
ERRORS = parse_objective("errors<3%", operation="GET /users")


def share(*durations: int | None) -> TrialShare:
    return TrialShare(durations=Durations(durations), spent_s=1.5)


def record(**left_out: str) -> TrialRecord:
    return TrialRecord(operations={}, budget_s=30.0, left_out=left_out)


def test_the_verdicts_are_those_of_the_trial_itself() -> None:
    rng = random.Random(2)
    for slow in (0.0, 0.03, 0.05, 0.1, 0.4):
        trial = Trial("GET /users", [P95, ERRORS])
        taken: list[int | None] = []
        while not trial.all_decided and len(taken) < 3_000:
            took = None if rng.random() < 0.01 else 300 * MS if rng.random() < slow else 50 * MS
            taken.append(took)
            trial.add(took or 0, failed=took is None)
        trial.close()
        measured = TrialRecord(operations={"GET /users": (share(*taken),)}, budget_s=30.0)
        again = list(judge_trials((P95, ERRORS), measured))
        assert [(v.state, v.reason, v.interval) for v in again] == [
            (v.state, v.reason, v.interval) for v in trial.verdicts()
        ]
        assert {verdict.spent_s for verdict in again} == {1.5}


def test_a_shard_without_requests_changes_nothing() -> None:
    full = TrialRecord(operations={"GET /users": (share(*[50 * MS] * 90),)}, budget_s=30.0)
    empty = TrialRecord(operations={"GET /users": (share(),)}, budget_s=30.0)
    for whole in (merge_trials(full, empty), merge_trials(empty, full)):
        (verdict,) = judge_trials((P95,), whole)
        assert (verdict.state, verdict.samples) == (VerdictState.MET, 90)
        assert "elsewhere" not in verdict.reason


def test_shards_that_disagree_are_not_taken_for_the_first_of_them() -> None:
    met = TrialRecord(operations={"GET /users": (share(*[50 * MS] * 90),)}, budget_s=30.0)
    slow = TrialRecord(operations={"GET /users": (share(*[300 * MS] * 80),)}, budget_s=60.0)
    (verdict,) = judge_trials((P95,), merge_trials(met, slow))
    assert verdict.state is VerdictState.BREACHED
    assert "0 of 90, and elsewhere 40 of 40, and elsewhere 40 of 40" in verdict.reason


def test_what_one_shard_left_out_and_another_tried_was_tried() -> None:
    one = record(**{"GET /users": "nobody may", "GET /orders": "it is gone"})
    two = TrialRecord(operations={"GET /users": (share(1),)}, budget_s=30.0)
    assert merge_trials(one, two).not_tried == {"GET /orders": "it is gone"}


def test_an_objective_on_what_could_not_be_tried_says_why() -> None:
    (wide, close) = judge_trials((P95, ERRORS), record(**{"GET /users": "nobody may call it"}))
    for verdict in (wide, close):
        assert verdict.without_samples
        assert "GET /users" in verdict.reason
        assert "nobody may call it" in verdict.reason
    (alone,) = judge_trials((P95,), record())
    assert alone.reason == "nothing was tried that * covers"


def test_the_same_requests_are_known_wherever_they_are() -> None:
    one, two, none = (
        TrialRecord(operations={"GET /users": (share(*durations),)}, budget_s=30.0)
        for durations in ((1, 2, None), (1, 2, 3), ())
    )
    assert same_requests([one, two, none, none]) is None
    assert same_requests([one, two, one]) == "GET /users"
    assert same_requests([merge_trials(one, two), two]) == "GET /users"


def test_each_operation_is_tried_in_exactly_one_shard() -> None:
    keys = [f"GET /things/{number}" for number in range(40)]
    whole = TrialPlan(
        objectives=dict.fromkeys(keys, (P95,)), left_out={"POST /things": "it writes"}
    )
    parts = [share_of(whole, Shard(number=number, total=4)) for number in range(1, 5)]
    assert [len(part.objectives) for part in parts] == [10] * 4
    assert sorted(key for part in parts for key in part.objectives) == sorted(keys)
    assert [key for part in parts for key in part.left_out] == ["POST /things"]


def test_operations_with_many_objectives_are_not_all_in_one_shard() -> None:
    many = {f"GET /a/{n}": (P95, ERRORS) for n in range(0, 8, 2)}
    whole = TrialPlan(
        objectives=many | {f"GET /a/{n}": (P95,) for n in range(1, 8, 2)}, left_out={}
    )
    for number in (1, 2):
        part = share_of(whole, Shard(number=number, total=2))
        assert sorted(map(len, part.objectives.values())) == [1, 1, 2, 2]


def test_shards_that_were_to_try_other_things_are_no_parts_of_one_check() -> None:
    plans = [
        TrialPlan(objectives={"GET /a": (P95,), "GET /b": judged}, left_out={})
        for judged in ((P95,), (ERRORS,))
    ]
    one, two = (
        replace(record(), shards=(Shard(number=n, total=2),), whole=digest_of_plan(plan))
        for n, plan in enumerate(plans, start=1)
    )
    assert merge_trials(one, replace(two, whole=one.whole)).whole == digest_of_plan(plans[0])
    with pytest.raises(UsageError, match="shard 2/2 is no part of the check of shard 1/2"):
        merge_trials(one, two)


def test_a_shard_says_nothing_of_an_objective_whose_operations_others_try() -> None:
    objectives = (P95,)
    one, two = (Shard(number=number, total=2) for number in (1, 2))
    tried = {"GET /users": (share(*[50 * MS] * 120),)}
    here = TrialRecord(operations=tried, budget_s=30.0, shards=(one,))
    there = TrialRecord(operations={}, budget_s=30.0, shards=(two,))

    assert {verdict.objective for verdict in judge_trials(objectives, here)} == set(objectives)
    assert list(judge_trials(objectives, there)) == []
    assert trials_shortfall(there) is None
    merged = merge_trials(there, here)
    assert merged.shards == (one, two)
    assert {verdict.state for verdict in judge_trials(objectives, merged)} == {VerdictState.MET}
    # With all shards there, what nobody tried is said as ever.
    nobody = merge_trials(there, replace(there, shards=(one,)))
    assert {verdict.state for verdict in judge_trials(objectives, nobody)} == {
        VerdictState.INCONCLUSIVE
    }
    with pytest.raises(UsageError, match="shard 2/2 is there twice"):
        merge_trials(merged, there)
