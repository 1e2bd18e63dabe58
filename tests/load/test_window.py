"""Windows are put away and united without loss."""

from hypothesis import given

from tests.results_strategies import measured, windows
from withstand.load.measurement import OperationMeasurement
from withstand.load.window import Window, summed, united, unpacked
from withstand.stats.histogram import Histogram


@given(windows(2))
def test_a_packed_window_is_the_same_when_unpacked(several: tuple[Window, ...]) -> None:
    assert tuple(unpacked(window.packed()) for window in several) == several


@given(windows(1), windows(3))
def test_uniting_windows_keeps_their_sum(
    first: tuple[Window, ...], second: tuple[Window, ...]
) -> None:
    whole = united((*first, *second))
    assert summed(whole) == summed((*first, *second))
    assert [each.second for each in whole] == sorted({each.second for each in whole})


@given(measured("GET /"))
def test_a_measurement_made_of_windows_is_their_sum(some: OperationMeasurement) -> None:
    made = OperationMeasurement.of("GET /", some.windows)
    assert made.response_time == sum((window.response_time for window in some.windows), Histogram())
    assert made.errors == sum(window.errors for window in some.windows)
    assert made.bytes_received == sum(window.bytes_received for window in some.windows)


def test_a_packed_window_is_short() -> None:
    window = Window(second=1, response_time=Histogram(range(1_000_000, 1_500_000, 500)))
    assert len(window.packed()) < 1_000
