"""Independent samples judged together: sure in the same measure as one, in whatever order."""

import random
from itertools import permutations

import pytest

from withstand.stats.pooled import design_effect, pooled
from withstand.stats.sequential import Decision, QuantileSample


def counted(exceeding: int, count: int) -> QuantileSample:
    """A sample of 0 and 2 against a limit of 1, its exceedances spread evenly."""
    sample = QuantileSample(limit=1, q=0.95, most=10_000)
    for index in range(count):
        exceeds = (index + 1) * exceeding // count > index * exceeding // count
        sample.add(2.0 if exceeds else 0.0)
    return sample


def ended(rng: random.Random, share: float, most: int) -> QuantileSample:
    """A sample that ended by its own rule, or with so many values."""
    sample = QuantileSample(limit=1, q=0.95, most=most)
    while sample.add(2.0 if rng.random() < share else 0.0) is None:
        pass
    return sample


def test_samples_too_short_to_tell_are_long_enough_together() -> None:
    short = [counted(0, 50), counted(0, 50)]
    assert [sample.look() for sample in short] == [None, None]
    assert pooled(short) is Decision.MET


def test_a_breach_takes_more_than_the_one_sample_that_shows_it() -> None:
    burst, quiet, slow = counted(20, 40), counted(0, 40), counted(10, 60)
    assert burst.look() is Decision.BREACHED
    assert pooled([burst, quiet]) is Decision.INCONCLUSIVE
    assert pooled([burst]) is Decision.INCONCLUSIVE
    assert pooled([burst, slow]) is Decision.BREACHED


def test_nothing_says_nothing() -> None:
    empty = QuantileSample(limit=1, q=0.95, most=100)
    assert pooled([]) is pooled([empty]) is Decision.INCONCLUSIVE
    assert design_effect([empty]) == 1


def test_the_order_does_not_matter() -> None:
    rng = random.Random(8)
    for share in (0.0, 0.02, 0.1, 0.3):
        samples = [ended(rng, share, 200), ended(rng, 0.05, 120), counted(3, 60)]
        assert len({pooled(order) for order in permutations(samples)}) == 1


@pytest.mark.parametrize(("shards", "most"), [(2, 200), (4, 90)])
def test_at_the_limit_errors_are_no_likelier_than_in_one_sample(shards: int, most: int) -> None:
    """5 % exceed, as may: neither verdict is right. The bounds are 1.6 % and 4 %."""
    rng = random.Random(12)
    runs = 400
    said = [pooled([ended(rng, 0.05, most) for _ in range(shards)]) for _ in range(runs)]
    assert said.count(Decision.BREACHED) <= runs * 0.016
    assert said.count(Decision.MET) <= runs * 0.04


def test_dependent_values_are_worth_fewer() -> None:
    clustered = QuantileSample(limit=1, q=0.95, most=10_000)
    for index in range(400):
        clustered.add(2.0 if index % 40 < 4 else 0.0)
    assert design_effect([clustered]) > 2
    assert 1 < design_effect([clustered, counted(20, 400)]) < design_effect([clustered])
