"""Plans: no test is lost or run twice, and shards take equally long."""

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode, balanced, expected_ms, plan_of_suite

NAMES = [f"tests/test_{file}.py::test_{n}" for file in "abc" for n in range(12)]
members = st.builds(
    Member,
    nodeid=st.sampled_from(NAMES),
    outer_class=st.none() | st.sampled_from(("tests/test_a.py::TestX", "tests/test_b.py::TestY")),
    group=st.none() | st.sampled_from(("database", "mail")),
)
suites = st.lists(members, max_size=36, unique_by=lambda each: each.nodeid)


def _shard_by_nodeid(
    collected: list[Member], known: dict[Member, int], by: ShardBy, mode: ShardMode, shards: int
) -> dict[str, int]:
    plan = plan_of_suite(collected, known, by=by, mode=mode, shards=shards)
    return {each.nodeid: plan.shard_of(each.key(by)) for each in collected}


@settings(max_examples=50, deadline=None)
@given(
    suite=suites,
    estimates=st.lists(st.integers(0, 5_000), min_size=36, max_size=36),
    known=st.sets(st.sampled_from(NAMES)),
    by=st.sampled_from(ShardBy),
    shards=st.integers(1, 9),
    seed=st.randoms(use_true_random=False),
)
def test_machines_that_collect_different_tests_in_any_order_agree_on_each(
    suite: list[Member],
    estimates: list[int],
    known: set[str],
    by: ShardBy,
    shards: int,
    seed: random.Random,
) -> None:
    file = {
        each: estimate
        for each, estimate in zip(suite, estimates, strict=False)
        if each.nodeid in known
    }
    whole = _shard_by_nodeid(suite, file, by, ShardMode.STABLE, shards)

    for _ in range(20):  # with the examples, 1,000 collections
        part = seed.sample(suite, seed.randint(0, len(suite)))
        shuffled = dict(seed.sample(list(file.items()), len(file)))
        assigned = _shard_by_nodeid(part, shuffled, by, ShardMode.STABLE, shards)
        assert assigned == {each.nodeid: whole[each.nodeid] for each in part}
    assert all(1 <= shard <= shards for shard in whole.values())


@settings(max_examples=50, deadline=None)
@given(
    suite=suites,
    by=st.sampled_from(ShardBy),
    mode=st.sampled_from(ShardMode),
    shards=st.integers(1, 9),
)
def test_what_has_one_key_is_never_split(
    suite: list[Member], by: ShardBy, mode: ShardMode, shards: int
) -> None:
    file = {each: 7 * place for place, each in enumerate(suite) if place % 3}
    shard = _shard_by_nodeid(suite, file, by, mode, shards)

    shards_by_key: dict[str, set[int]] = {}
    for each in suite:
        shards_by_key.setdefault(each.key(by), set()).add(shard[each.nodeid])
    assert all(len(found) == 1 for found in shards_by_key.values())


def _api_suite(seed: int) -> dict[Member, int]:
    """300 tests as suites of APIs have them: most are quick, a few take seconds."""
    rng = random.Random(seed)
    return {
        Member(nodeid=f"tests/test_api.py::test_{n}"): max(1, round(rng.lognormvariate(4.6, 1.0)))
        for n in range(300)
    }


def _ratio(
    truth: dict[Member, int], known: dict[Member, int], mode: ShardMode, shards: int = 4
) -> float:
    """How long the slowest shard takes, of the shortest time that any cut could take."""
    suite = list(truth)
    plan = plan_of_suite(suite, known, by=ShardBy.CLASS, mode=mode, shards=shards)
    loads = expected_ms(plan, suite, truth, by=ShardBy.CLASS)
    return max(loads) / max(sum(loads) / shards, *truth.values())


@pytest.mark.parametrize("mode", ShardMode)
@pytest.mark.parametrize(
    ("noise", "unknown", "most"), [(0.0, 0.0, 1.01), (0.2, 0.0, 1.10), (0.2, 0.1, 1.18)]
)
def test_shards_take_equally_long_as_far_as_durations_are_known(
    mode: ShardMode, noise: float, unknown: float, most: float
) -> None:
    ratios = []
    for seed in range(60):
        truth, rng = _api_suite(seed), random.Random(1_000 + seed)
        known = {
            each: max(1, round(ms * rng.lognormvariate(0, noise)))
            for each, ms in truth.items()
            if rng.random() >= unknown
        }
        ratios.append(_ratio(truth, known, mode))
    assert fmean(ratios) <= most


def test_twenty_thousand_tests_in_sixteen_shards_are_cut_evenly_with_their_groups_whole() -> None:
    rng = random.Random(3)
    suite = {
        Member(
            nodeid=f"tests/test_{n % 400}.py::test_{n}",
            group=f"group {n % 50}" if n % 10 == 0 else None,
        ): rng.randint(1, 900)
        for n in range(20_000)
    }
    assert _ratio(suite, suite, ShardMode.STABLE, shards=16) <= 1.001


def test_tests_that_take_no_time_are_spread_too() -> None:
    plan = balanced({f"test_{n}": 0 for n in range(8)}, 4)

    assert sorted(plan.shard_by_key.values()) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_without_any_durations_what_was_collected_is_dealt_out_one_by_one() -> None:
    suite = [Member(nodeid=name) for name in NAMES]
    plan = plan_of_suite(suite, {}, by=ShardBy.TEST, mode=ShardMode.COLLECTED, shards=6)

    shards = [plan.shard_of(name) for name in NAMES]
    assert {shard: shards.count(shard) for shard in shards} == dict.fromkeys(range(1, 7), 6)
    assert expected_ms(plan, suite, {}, by=ShardBy.TEST) == ()


def test_a_test_that_nothing_is_known_of_takes_the_mean_of_the_others() -> None:
    known = {Member(nodeid="a"): 100, Member(nodeid="b"): 300}
    suite = [*known, Member(nodeid="c")]
    plan = plan_of_suite(suite, known, by=ShardBy.TEST, mode=ShardMode.COLLECTED, shards=2)

    assert sorted(expected_ms(plan, suite, known, by=ShardBy.TEST)) == [300, 300]


@pytest.mark.parametrize(
    "other",
    [
        ({"a": 1, "b": 3}, 2),
        ({"a": 1}, 2),
        ({"a": 1, "b": 2}, 3),
        ({"a": 1, "b ": 2}, 2),
    ],
)
def test_the_digest_tells_plans_apart(other: tuple[dict[str, int], int]) -> None:
    digest = balanced({"a": 1, "b": 2}, 2).digest

    assert balanced({"b": 2, "a": 1}, 2).digest == digest
    assert balanced(*other).digest != digest


@pytest.mark.parametrize(
    ("by", "alone", "in_class", "in_group"),
    [
        (ShardBy.TEST, "t/a.py::x[a::b]", "t/a.py::X::Y::y", "t/a.py::X::z"),
        (ShardBy.CLASS, "t/a.py::x[a::b]", "t/a.py::X", "group:db"),
        (ShardBy.MODULE, "t/a.py", "t/a.py", "group:db"),
        (ShardBy.GROUP, "t/a.py::x[a::b]", "t/a.py::X::Y::y", "group:db"),
    ],
)
def test_what_stays_together(by: ShardBy, alone: str, in_class: str, in_group: str) -> None:
    assert Member(nodeid="t/a.py::x[a::b]").key(by) == alone
    assert Member(nodeid="t/a.py::X::Y::y", outer_class="t/a.py::X").key(by) == in_class
    assert Member(nodeid="t/a.py::X::z", outer_class="t/a.py::X", group="db").key(by) == in_group
