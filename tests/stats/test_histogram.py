"""Histograms: exact where they promise it, 0.4 % off at most elsewhere."""

import base64
import contextlib
import math
import random
import zlib

import pytest
from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # it has no stubs
from hypothesis import given
from hypothesis import strategies as st

from withstand.stats.histogram import (
    Histogram,
    bucket_bounds,
    bucket_key,
    merged,
    quantile_rank,
)

values = st.integers(0, 10**13)
samples = st.lists(values, max_size=60)
quantiles = st.floats(0, 1)


@given(values)
def test_a_bucket_holds_its_value_and_its_midpoint_is_at_most_0_4_percent_away(value: int) -> None:
    low, high = bucket_bounds(bucket_key(value))
    assert low <= value <= high
    assert abs((low + high) / 2 - value) <= 0.004 * value


def test_buckets_follow_one_another_without_gap_or_overlap() -> None:
    previous = -1
    for key in range(40 << 7):
        low, high = bucket_bounds(key)
        assert low == previous + 1
        assert bucket_key(low) == bucket_key(high) == key
        previous = high


@given(samples)
def test_count_total_and_extremes_are_exact(sample: list[int]) -> None:
    histogram = Histogram(sample)
    assert (histogram.count, histogram.total) == (len(sample), sum(sample))
    assert histogram.minimum == min(sample, default=None)
    assert histogram.maximum == max(sample, default=None)
    assert histogram.mean == (sum(sample) / len(sample) if sample else None)


@given(samples.filter(bool), quantiles)
def test_a_quantile_is_the_nearest_rank_to_0_4_percent(sample: list[int], q: float) -> None:
    exact = sorted(sample)[quantile_rank(q, len(sample)) - 1]
    found = Histogram(sample).quantile(q)
    assert found is not None
    assert abs(found - exact) <= 0.004 * exact
    assert min(sample) <= found <= max(sample)


@pytest.mark.parametrize(("q", "count", "rank"), [(0.07, 100, 7), (0.95, 20, 19), (0.5, 1, 1)])
def test_a_rank_does_not_suffer_from_binary_fractions(q: float, count: int, rank: int) -> None:
    assert quantile_rank(q, count) == rank


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_quantile_outside_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Histogram([1]).quantile(q)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None
    assert Histogram().share_above(10) is None
    assert not Histogram()


@given(samples, samples, samples)
def test_merging_is_exact_associative_and_commutative(
    a: list[int], b: list[int], c: list[int]
) -> None:
    one, two, three = Histogram(a), Histogram(b), Histogram(c)
    assert (one + two) + three == one + (two + three) == Histogram(a + b + c)
    assert one + two == two + one == merged([two, one])


def test_merging_leaves_its_operands_alone() -> None:
    one, two = Histogram([1, 5]), Histogram([7])
    _ = one + two
    assert (one, two) == (Histogram([1, 5]), Histogram([7]))


@given(samples, st.floats(0, 1e13))
def test_counting_above_a_limit_errs_only_within_the_limits_own_bucket(
    sample: list[int], limit: float
) -> None:
    found = Histogram(sample).count_above(limit)
    assert sum(v > limit * 1.008 for v in sample) <= found <= sum(v > limit / 1.008 for v in sample)


@given(samples)
def test_the_compact_form_reads_back_equal(sample: list[int]) -> None:
    histogram = Histogram(sample)
    assert Histogram.from_compact(histogram.to_compact()) == histogram


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


GARBAGE = {
    "no base64": "!!",
    "not ascii": "é",
    "no zlib": base64.b64encode(b"hello").decode(),
    "empty": packed(b""),
    "another version": packed(b"\x02\x00"),
    "cut short": packed(b"\x01\x02\x01\x05\x06\x01"),
    "too long": packed(b"\x01\x00\x00"),
    "a number without its end": packed(b"\x01\x80"),
    "a number without an end": packed(b"\x80" * 40),
    "a key twice": packed(b"\x01\x02\x05\x05\x0a\x05\x00\x01\x01"),
    "an empty bucket": packed(b"\x01\x01\x05\x05\x05\x05\x00"),
    "extremes elsewhere": packed(b"\x01\x01\x04\x05\x05\x05\x01"),
    "a total that cannot be": packed(b"\x01\x01\x05\x05\x06\x05\x01"),
    "a key beyond all": packed(b"\x01\x01\x05\x05\x05\xff\xff\x03\x01"),
    "a bomb": packed(b"\x00" * (2 << 20)),
    "something after it": base64.b64encode(zlib.compress(b"\x01\x00") + b"x").decode(),
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_garbage_in_the_compact_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="histogram"):
        Histogram.from_compact(text)


@given(st.text(max_size=40) | st.binary(max_size=40).map(packed))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    with contextlib.suppress(ValueError):
        Histogram.from_compact(text)


def test_negative_values_are_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Histogram().record(-1)


def test_counts_that_contradict_the_extremes_are_refused() -> None:
    with pytest.raises(ValueError, match="extremes"):
        Histogram.from_counts({5: 1}, minimum=6, maximum=6, total=6)


def bimodal(count: int) -> list[int]:
    """Nanoseconds: most around 2 ms, some around 150 ms, a heavy tail."""
    draw = random.Random(7)
    return [
        int(
            draw.lognormvariate(14.5, 0.5)
            if draw.random() < 0.97
            else draw.paretovariate(1.5) * 1e8
        )
        for _ in range(count)
    ]


def test_a_million_values_stay_small_and_true_and_agree_with_hdrhistogram() -> None:
    sample = bimodal(1_000_000)
    whole = Histogram(sample)
    halves = Histogram(sample[:300_000]) + Histogram(sample[300_000:])
    assert halves.counts == whole.counts
    assert len(whole.to_compact()) <= 4_000
    oracle = HdrHistogram(1, 10**14, 3)
    for low, high, times in whole.buckets():
        oracle.record_value((low + high) // 2, times)
    ordered = sorted(sample)
    for q in (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999):
        exact = ordered[quantile_rank(q, len(sample)) - 1]
        found = whole.quantile(q)
        assert found is not None
        assert abs(found - exact) <= 0.004 * exact
        assert found == pytest.approx(oracle.get_value_at_percentile(q * 100), rel=0.002)
