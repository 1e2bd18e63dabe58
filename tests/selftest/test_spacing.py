"""Whether a rate is a rate: evenness as the server sees it."""

import random
from itertools import accumulate

import pytest

from withstand.selftest.spacing import spacing_of

MS = 1_000_000


def test_perfect_pacing_has_no_variation_and_the_same_number_in_every_window() -> None:
    spacing = spacing_of([7 + i * 5 * MS for i in range(400)], rate_per_s=200)
    assert spacing.variation == pytest.approx(0)
    assert (spacing.least, spacing.most, spacing.ideal) == (10, 10, 10)
    assert spacing.back_to_back == 0


def test_the_same_rate_in_bursts_of_a_second_is_seen_to_be_none() -> None:
    arrivals = [second * 1000 * MS + i * 1000 for second in range(3) for i in range(200)]
    spacing = spacing_of(arrivals, rate_per_s=200)
    assert spacing.back_to_back > 0.99
    assert (spacing.least, spacing.most) == (0, 200)
    assert spacing.variation > 10


def test_poisson_arrivals_vary_by_one_and_come_back_to_back_as_often_as_the_law_says() -> None:
    draw = random.Random(5)
    gaps = [draw.expovariate(200) * 1e9 for _ in range(20_000)]
    spacing = spacing_of([int(at) for at in accumulate(gaps)], rate_per_s=200)
    assert spacing.variation == pytest.approx(1, abs=0.03)
    assert spacing.back_to_back == pytest.approx(1 - 2.718281828 ** (-200 * 0.0002), abs=0.005)


@pytest.mark.parametrize("arrivals", [[], [5], [0, 1000]])
def test_what_fills_no_window_has_no_spacing(arrivals: list[int]) -> None:
    with pytest.raises(ValueError, match="fill no window"):
        spacing_of(arrivals, rate_per_s=10_000)
