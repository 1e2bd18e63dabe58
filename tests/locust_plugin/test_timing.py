"""What users' code puts in the place of a measured time."""

from types import SimpleNamespace

import pytest

from withstand.locust_plugin.recording import Recording
from withstand.locust_plugin.timing import Timing, response_ms, retold

MS = 1_000_000


def _timing(origin_ns: int = 0) -> Timing:
    """Intended 5 ms before it began, 2 ms to connect, the first byte after 8, the end after 10."""
    begun = origin_ns + 20 * MS
    return (begun - 5 * MS, begun, begun + 2 * MS, begun + 8 * MS, begun + 10 * MS, 2 * MS)


def test_the_response_time_runs_from_the_beginning_to_the_end() -> None:
    assert response_ms(_timing()) == 10


@pytest.mark.parametrize(
    ("told_ms", "first_byte_ms", "end_ms"), [(9, 8, 9), (40, 8, 40), (6, 6, 6), (0, 2, 2)]
)
def test_a_time_that_was_told_moves_the_end(
    told_ms: float, first_byte_ms: int, end_ms: int
) -> None:
    intended, begun, sent, first_byte, end, connect = retold(_timing(), told_ms)
    assert (intended, begun, sent, connect) == (15 * MS, 20 * MS, 22 * MS, 2 * MS)
    assert (first_byte - begun, end - begun) == (first_byte_ms * MS, end_ms * MS)


def test_what_a_user_says_of_the_time_is_counted() -> None:
    """As Locust's own statistics count it."""
    recording = Recording(width_s=1)
    timing = _timing(recording.origin_ns)
    answer = SimpleNamespace(status_code=200, withstand_timing=timing)
    recording.request("GET", "/told", 40.0, 1, None, answer)
    recording.request("GET", "/measured", response_ms(timing), 1, None, answer)
    found = {
        name: (windows[0].service_time.maximum, windows[0].response_time.maximum)
        for name, windows in recording.changed().items()
    }
    assert found == {"GET /told": (38 * MS, 45 * MS), "GET /measured": (8 * MS, 15 * MS)}
