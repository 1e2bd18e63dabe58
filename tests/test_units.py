"""Durations, rates, sizes and shares, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.units import (
    format_bytes,
    format_count,
    format_duration_ns,
    format_names,
    format_share,
    parse_duration_ns,
    parse_rate_per_s,
    parse_size_bytes,
)


@pytest.mark.parametrize(
    ("text", "value_ns"),
    [
        ("200ms", 200_000_000),
        ("1.5s", 1_500_000_000),
        (" 2 m ", 120_000_000_000),
        ("2min", 120_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1s 500ms", 1_500_000_000),
        ("1d", 86_400_000_000_000),
        ("7ns", 7),
        ("3us", 3_000),
        ("3µs", 3_000),
        ("3μs", 3_000),
        ("0", 0),
        ("10", 10_000_000_000),
    ],
)
def test_a_duration_is_read_in_any_unit(text: str, value_ns: int) -> None:
    assert parse_duration_ns(text) == value_ns


def test_a_bare_number_counts_in_the_unit_that_the_place_implies() -> None:
    assert parse_duration_ns("200", bare_unit="ms") == 200_000_000


@pytest.mark.parametrize(
    "text",
    ["", "ms", "-1s", "1x", "1S", "1h30", "1e3s", "1.5.2s", "1,5s", "1 0s", "\uff19s", "9" * 400],
)
def test_what_is_no_duration_is_an_error_that_shows_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="200ms"):
        parse_duration_ns(text)


@pytest.mark.parametrize(
    ("text", "value_bytes"),
    [("512", 512), ("10kB", 10_000), ("10 KB", 10_000), ("1.5MB", 1_500_000), ("2GB", 2 * 10**9)],
)
def test_a_size_is_read_in_powers_of_ten(text: str, value_bytes: int) -> None:
    assert parse_size_bytes(text) == value_bytes


@pytest.mark.parametrize("text", ["", "10MiB", "10mb", "-1B", "big", "9" * 400])
def test_what_is_no_size_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="32MB"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("text", "per_s"),
    [("200", 200), ("200/s", 200), ("0.5 / sec", 0.5), ("90/m", 1.5), ("36/h", 0.01)],
)
def test_a_rate_is_read_per_second(text: str, per_s: float) -> None:
    assert parse_rate_per_s(text) == per_s


@pytest.mark.parametrize("text", ["", "0", "0.0/s", "-1/s", "5/d", "fast", "9" * 400])
def test_what_is_no_rate_above_zero_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="above zero"):
        parse_rate_per_s(text)


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (999.7, "1.00 µs"),
        (850_000, "850 µs"),
        (999_499, "999 µs"),
        (999_600, "1.00 ms"),
        (9_996_000, "10.0 ms"),
        (12_345_678, "12.3 ms"),
        (99_960_000, "100 ms"),
        (1_204_000_000, "1.20 s"),
        (-12_345_678, "-12.3 ms"),
        (3_600_000_000_000, "3600 s"),
    ],
)
def test_a_duration_is_written_with_three_digits_in_the_unit_that_reads_best(
    value_ns: float, text: str
) -> None:
    assert format_duration_ns(value_ns) == text


@given(st.floats(min_value=1_000, max_value=0.999e12))
def test_a_written_duration_is_within_half_a_percent_and_never_reads_1000(value_ns: float) -> None:
    text = format_duration_ns(value_ns)
    assert abs(parse_duration_ns(text) - value_ns) <= value_ns * 0.00501 + 1
    assert not text.startswith("1000")


@pytest.mark.parametrize(
    ("value_bytes", "text"),
    [(512, "512 B"), (12_345, "12.3 kB"), (999_600, "1.00 MB"), (1.2e9, "1.20 GB")],
)
def test_a_size_is_written_with_three_digits(value_bytes: float, text: str) -> None:
    assert format_bytes(value_bytes) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0012, "0.12 %"),
        (0.37, "37 %"),
        (0.99901, "99.9 %"),
        (0.99999, "> 99.9 %"),
        (1, "100 %"),
        (12.345, "1234 %"),
        (1e-7, "< 0.0001 %"),
        (-1e-7, "> -0.0001 %"),
    ],
)
def test_a_share_never_reads_as_none_or_all_when_it_is_neither(share: float, text: str) -> None:
    assert format_share(share) == text


def test_a_count_has_its_thousands_separated() -> None:
    assert format_count(1_234_567) == "1,234,567"


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert format_names(names) == text
