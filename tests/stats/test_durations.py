"""Durations come back from their compact text in order, failures included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.stats.durations import Durations


@given(st.lists(st.none() | st.integers(0, 10**12), max_size=50).map(tuple))
def test_reading_gives_back_what_was_written(values: tuple[int | None, ...]) -> None:
    assert Durations.from_compact(Durations(values).to_compact()).values == values


def test_a_thousand_durations_take_a_few_kilobytes() -> None:
    values = tuple(10_000_000 + 7_919 * n % 5_000_000 for n in range(1_000))
    assert len(Durations(values).to_compact()) < 6_000


@pytest.mark.parametrize("text", ["", "!", "é", "AAAA"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="durations"):
        Durations.from_compact(text)
