"""Stages against exact arithmetic and the closed forms of what they describe."""

import math
import statistics
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.load.profile.profile import Arrivals, ArrivalShare, UserShare
from withstand.load.profile.stages import Stage, StagedRate, StagedUsers

S = 1_000_000_000
KINDS: tuple[Arrivals, ...] = ("paced", "poisson")

rates = st.one_of(st.just(0.0), st.integers(1, 300).map(float), st.floats(0.01, 300))
durations = st.one_of(st.integers(1, 4).map(float), st.sampled_from((0.1, 0.25, 1.7)))
rate_stages = (
    st.lists(
        st.builds(lambda a, b, d: Stage(start=a, end=b, duration_s=d), rates, rates, durations),
        min_size=1,
        max_size=4,
    )
    .map(tuple)
    .filter(lambda stages: any(stage.start + stage.end for stage in stages))
)
user_stages = (
    st.lists(
        st.builds(
            lambda a, b, d: Stage(start=a, end=b, duration_s=d),
            *(st.integers(0, 30), st.integers(0, 30), durations),
        ),
        min_size=1,
        max_size=5,
    )
    .map(tuple)
    .filter(lambda stages: any(stage.start + stage.end for stage in stages))
)


def exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(10**9)


def arrived(stages: tuple[Stage, ...], at_s: Fraction) -> Fraction:
    """The integral of the rate up to a moment, in fractions."""
    total, begin_s = Fraction(0), Fraction(0)
    for stage in stages:
        duration_s, start, end = map(exact, (stage.duration_s, stage.start, stage.end))
        into_s = min(max(at_s - begin_s, Fraction(0)), duration_s)
        total += start * into_s + (end - start) / duration_s * into_s**2 / 2
        begin_s += duration_s
    return total


@settings(max_examples=60)
@given(rate_stages)
def test_arrival_i_comes_when_the_integral_of_the_rate_reaches_i(
    stages: tuple[Stage, ...],
) -> None:
    offsets = list(StagedRate(stages=stages).offsets_ns())
    end_s = sum((exact(stage.duration_s) for stage in stages), Fraction(0))
    assert len(offsets) == math.ceil(arrived(stages, end_s))
    assert offsets == sorted(offsets)
    some = {*range(0, len(offsets), max(len(offsets) // 12, 1)), len(offsets) - 1}
    for index, offset_ns in [(index, offsets[index]) for index in some]:
        # Cut to the nanosecond, and a nanosecond for the rounding of the floats.
        assert arrived(stages, Fraction(offset_ns - 1, S)) <= index
        assert index <= arrived(stages, Fraction(offset_ns + 2, S))


@settings(max_examples=40)
@given(rate_stages)
def test_no_arrival_comes_while_the_rate_is_zero(stages: tuple[Stage, ...]) -> None:
    idle = [stage for stage in stages if stage.start == stage.end == 0]
    begins = [float(at) for at in accumulate((s.duration_s for s in stages), initial=0.0)]
    for arrivals in KINDS:
        offsets = list(StagedRate(stages=stages, arrivals=arrivals).offsets_ns())
        for stage, begin_s in zip(stages, begins, strict=False):
            if stage in idle:
                end_s = begin_s + stage.duration_s
                assert not [at for at in offsets if begin_s * S <= at < end_s * S - 1]


def test_a_ramp_from_nothing_to_200_per_second_in_10_seconds_sends_1000() -> None:
    ramp = StagedRate(stages=(Stage(start=0, end=200, duration_s=10),))
    offsets = list(ramp.offsets_ns())
    assert len(offsets) == 1000
    # The integral is 10 t², so arrival i comes at the root of i/10.
    assert offsets == [math.isqrt(index * S * S // 10) for index in range(1000)]


def test_a_constant_stage_is_the_constant_rate_and_what_its_end_reaches_belongs_to_the_next() -> (
    None
):
    hold = Stage(start=10, end=10, duration_s=1)
    pause = Stage(start=0, end=0, duration_s=5)
    offsets = list(StagedRate(stages=(hold, pause, hold)).offsets_ns())
    assert offsets == [
        *(index * S // 10 for index in range(10)),
        *(6 * S + index * S // 10 for index in range(10)),
    ]


def test_a_rate_per_minute_sends_its_number_and_not_one_more() -> None:
    stages = (Stage(start=100 / 60, end=100 / 60, duration_s=60),)
    assert len(list(StagedRate(stages=stages).offsets_ns())) == 100


def test_poisson_arrivals_of_a_ramp_thin_out_as_its_rate_does() -> None:
    """Transformed by the integral of the rate, their gaps are exponential with mean 1."""
    stages = (Stage(start=0, end=400, duration_s=50), Stage(start=400, end=0, duration_s=50))
    offsets = list(StagedRate(stages=stages, arrivals="poisson", seed=5).offsets_ns())
    assert abs(len(offsets) - 20_000) < 5 * math.sqrt(20_000)
    first_quarter = sum(at < 25 * S for at in offsets)
    assert abs(first_quarter - 2_500) < 5 * math.sqrt(2_500)
    # The integral is 4 t² up to the middle, and its mirror image from there on.
    reached = [
        4 * at_s**2 if at_s < 50 else 20_000 - 4 * (100 - at_s) ** 2
        for at_s in (at / S for at in offsets)
    ]
    gaps = [b - a for a, b in pairwise(reached)]
    # For n exponential gaps the standard errors of mean and deviation are 1/√n and √2/√n.
    assert statistics.mean(gaps) == pytest.approx(1, abs=5 / math.sqrt(20_000))
    assert statistics.stdev(gaps) == pytest.approx(1, abs=5 * math.sqrt(2 / 20_000))
    assert sum(gap > 2 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-2), abs=0.012)


@settings(max_examples=40)
@given(rate_stages, user_stages, st.integers(1, 5))
def test_the_shares_of_all_shards_are_the_whole(
    rates: tuple[Stage, ...], users: tuple[Stage, ...], of: int
) -> None:
    for arrivals in KINDS:
        rate = StagedRate(stages=rates, arrivals=arrivals)
        shares = [ArrivalShare(whole=rate, number=n, of=of) for n in range(1, of + 1)]
        assert sorted(at for share in shares for at in share.offsets_ns()) == list(
            rate.offsets_ns()
        )
    crowd = StagedUsers(stages=users)
    shards = [UserShare(whole=crowd, number=n, of=of) for n in range(1, of + 1)]
    stays = [stay for shard in shards for stay in shard.stays()]
    assert sorted(stays, key=lambda stay: (stay.begin_ns, stay.number)) == list(crowd.stays())


@settings(max_examples=60)
@given(user_stages, st.fractions(0, 1))
def test_as_many_users_are_there_as_the_level_says(
    stages: tuple[Stage, ...], share: Fraction
) -> None:
    stays = list(StagedUsers(stages=stages).stays())
    begin_ns = 0
    for stage in stages:
        end_ns = begin_ns + round(stage.duration_s * S)
        at_ns = begin_ns + int(share * (end_ns - begin_ns - 1))
        present = sorted(stay.number for stay in stays if stay.begin_ns <= at_ns < stay.end_ns)
        level = stage.start + (stage.end - stage.start) * Fraction(at_ns - begin_ns) / (
            end_ns - begin_ns
        )
        # Who comes or goes within a nanosecond may be counted either way.
        assert present == list(range(len(present)))
        a_little = Fraction(1, 1_000_000)
        assert math.ceil(level - a_little) <= len(present) <= math.floor(level + a_little) + 1
        begin_ns = end_ns


def test_users_come_and_go_one_by_one_the_last_first() -> None:
    stages = (
        Stage(start=0, end=2, duration_s=2),
        Stage(start=2, end=2, duration_s=1),
        Stage(start=2, end=0, duration_s=2),
        Stage(start=1, end=1, duration_s=1),
    )
    stays = [(stay.number, stay.begin_ns / S, stay.end_ns / S) for stay in crowd(stages).stays()]
    assert stays == [(0, 0, 5), (1, 1, 4), (0, 5, 6)]


def crowd(stages: tuple[Stage, ...]) -> StagedUsers:
    return StagedUsers(stages=stages)


def test_stages_say_what_they_are() -> None:
    stages = (Stage(start=0, end=200, duration_s=30), Stage(start=200, end=200, duration_s=60))
    rate = StagedRate(stages=stages, arrivals="poisson")
    assert rate.describe() == "30 s from 0/s to 200/s, 60 s at 200/s, Poisson arrivals"
    assert (rate.peak, rate.duration_s, rate.model) == (200, 90, "open")
    assert crowd(stages).describe() == "30 s from 0 to 200 users, 60 s at 200 users"
    assert (crowd(stages).peak, crowd(stages).duration_s, crowd(stages).model) == (
        200,
        90,
        "closed",
    )


def test_stages_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="never rise above zero"):
        StagedRate(stages=())
    with pytest.raises(UsageError, match="never rise above zero"):
        StagedUsers(stages=(Stage(start=0, end=0, duration_s=5),))
    with pytest.raises(UsageError, match=r"no 2\.5 users"):
        StagedUsers(stages=(Stage(start=0, end=2.5, duration_s=5),))
    with pytest.raises(UsageError, match="level of a stage is -1"):
        Stage(start=-1, end=0, duration_s=1)
    with pytest.raises(UsageError, match="duration of a stage is 0"):
        Stage(start=1, end=1, duration_s=0)


def test_users_phases_are_far_apart_however_many_there_are() -> None:
    staged = crowd((Stage(start=0, end=100, duration_s=5),))
    for users in (2, 3, 10, 57, 100):
        phases = sorted(staged.phase(number) for number in range(users))
        gaps = [b - a for a, b in pairwise((*phases, phases[0] + 1))]
        assert min(gaps) > 0.38 / users
        assert max(gaps) < 2.62 / users
