"""Load shapes in virtual time: arithmetic against closed forms."""

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.load.profile.profile import (
    ArrivalSchedule,
    Closed,
    ConstantRate,
    Profile,
    UserSchedule,
    share_of,
)
from withstand.load.profile.stages import Stage, StagedRate

rates = st.floats(0.1, 2000)
durations = st.floats(0.01, 3)


@given(rates, durations)
def test_paced_arrivals_are_equally_far_apart_and_lie_within_the_duration(
    rate: float, duration: float
) -> None:
    offsets = list(ConstantRate(rate_per_s=rate, duration_s=duration).offsets_ns())
    assert len(offsets) == max(math.ceil(round(rate * duration, 9)), 1)
    assert offsets[0] == 0
    assert offsets[-1] < duration * 1e9
    assert all(abs(b - a - 1e9 / rate) <= 1 for a, b in pairwise(offsets))


def test_200_per_second_for_10_seconds_are_2000_arrivals_5_ms_apart() -> None:
    offsets = list(ConstantRate(rate_per_s=200, duration_s=10).offsets_ns())
    assert offsets == [index * 5_000_000 for index in range(2000)]


def test_poisson_arrivals_have_the_rate_and_gaps_as_wide_as_they_vary() -> None:
    profile = ConstantRate(rate_per_s=500, duration_s=40, arrivals="poisson", seed=3)
    offsets = list(profile.offsets_ns())
    gaps = [b - a for a, b in pairwise(offsets)]
    # 20,000 expected with a standard deviation of 141; of exponential gaps mean and sd are equal.
    assert abs(len(offsets) - 20_000) < 5 * 141
    assert statistics.stdev(gaps) == pytest.approx(statistics.mean(gaps), rel=0.05)
    assert offsets == sorted(offsets)
    assert offsets[-1] < 40e9


def test_the_seed_decides_the_poisson_arrivals() -> None:
    first = ConstantRate(rate_per_s=50, duration_s=1, arrivals="poisson", seed=1)
    again = ConstantRate(rate_per_s=50, duration_s=1, arrivals="poisson", seed=1)
    other = ConstantRate(rate_per_s=50, duration_s=1, arrivals="poisson", seed=2)
    assert list(first.offsets_ns()) == list(again.offsets_ns()) != list(other.offsets_ns())


def test_users_start_all_at_once_or_at_the_spawn_rate() -> None:
    assert times_ns(Closed(users=3, duration_s=1)) == [0, 0, 0]
    ramp = Closed(users=4, duration_s=10, spawn_rate_per_s=2)
    assert times_ns(ramp) == [0, 500_000_000, 1_000_000_000, 1_500_000_000]
    assert {stay.end_ns for stay in ramp.stays()} == {10_000_000_000}


def test_users_who_would_start_after_the_end_do_not() -> None:
    ramp = Closed(users=100, duration_s=1, spawn_rate_per_s=5)
    assert len(list(ramp.stays())) == 5


@given(st.integers(1, 7), rates, durations)
def test_the_shares_of_all_shards_are_the_whole(of: int, rate: float, duration: float) -> None:
    for whole in (
        ConstantRate(rate_per_s=rate, duration_s=duration),
        ConstantRate(rate_per_s=rate, duration_s=duration, arrivals="poisson"),
        Closed(users=math.ceil(rate / 20), duration_s=duration, spawn_rate_per_s=rate),
    ):
        shares = [times_ns(share_of(whole, number, of)) for number in range(1, of + 1)]
        assert sorted(at for share in shares for at in share) == times_ns(whole)


def times_ns(profile: Profile) -> list[int]:
    if isinstance(profile, ArrivalSchedule):
        return list(profile.offsets_ns())
    assert isinstance(profile, UserSchedule)
    return [stay.begin_ns for stay in profile.stays()]


def test_shards_divide_users_and_rate_and_say_so() -> None:
    users = [share_of(Closed(users=10, duration_s=1), number, 4) for number in (1, 2, 3, 4)]
    assert [share.peak for share in users] == [3, 3, 2, 2]
    rate = share_of(ConstantRate(rate_per_s=100, duration_s=10), 2, 4)
    assert rate.peak == 25
    assert rate.describe() == "100/s for 10 s, shard 2/4"


def test_a_profile_says_what_it_is() -> None:
    assert ConstantRate(rate_per_s=0.5, duration_s=90).describe() == "0.5/s for 90 s"
    poisson = ConstantRate(rate_per_s=20, duration_s=9, arrivals="poisson")
    assert poisson.describe() == "20/s for 9 s, Poisson arrivals"
    assert Closed(users=1, duration_s=60).describe() == "1 user for 60 s"
    ramped = Closed(users=50, duration_s=10, spawn_rate_per_s=5)
    assert ramped.describe() == "50 users for 10 s, 5 started per second"
    assert (poisson.model, Closed(users=1, duration_s=1).model) == ("open", "closed")


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
def test_rates_users_and_durations_are_above_zero(bad: float) -> None:
    with pytest.raises(UsageError, match="above zero"):
        ConstantRate(rate_per_s=bad, duration_s=1)
    with pytest.raises(UsageError, match="above zero"):
        ConstantRate(rate_per_s=1, duration_s=bad)
    with pytest.raises(UsageError, match="above zero"):
        Closed(users=1, duration_s=1, spawn_rate_per_s=bad)


def test_there_is_no_shard_0_and_none_beyond_the_last() -> None:
    for number in (0, 3):
        with pytest.raises(UsageError, match=f"no shard {number} of 2"):
            share_of(Closed(users=1, duration_s=1), number, 2)


@pytest.mark.parametrize(
    "whole",
    [
        ConstantRate(rate_per_s=101, duration_s=2.5),
        ConstantRate(rate_per_s=90, duration_s=3, arrivals="poisson", seed=5),
        StagedRate(
            stages=(
                Stage(start=0, end=120, duration_s=2),
                Stage(start=120, end=120, duration_s=0.5),
                Stage(start=120, end=10, duration_s=1),
            )
        ),
        StagedRate(stages=(Stage(start=20, end=200, duration_s=2),), arrivals="poisson", seed=5),
    ],
    ids=lambda profile: profile.describe(),
)
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_arrival_i_of_the_whole_goes_to_shard_i_modulo_their_number_and_to_no_other(
    whole: ArrivalSchedule, of: int
) -> None:
    every = list(whole.offsets_ns())
    for number in range(1, of + 1):
        share = share_of(whole, number, of)
        assert times_ns(share) == every[number - 1 :: of]
        # Of n arrivals a shard has n / of, rounded down or up: exact, not on average.
        assert len(times_ns(share)) == (len(every) + of - number) // of
        assert share.duration_s == whole.duration_s
