"""When a request should have begun, was sent and was answered: what an event of Locust's has no
room for. Pure."""

from typing import Final

Timing = tuple[int, int, int, int, int, int]
"""Intended, begun (what Locust counts from), sent, first byte, end, each a reading of
`time.perf_counter_ns`; and how long the connection took to open, in ns, 0 where it was open. A bare
tuple, because one is made per request.
"""

ATTRIBUTE: Final = "withstand_timing"
"""The attribute of a response that has its `Timing`."""


def response_ms(timing: Timing) -> float:
    """The response time that Locust is told."""
    return (timing[4] - timing[1]) / 1e6


def retold(timing: Timing, response_time: float) -> Timing:
    """As if the answer had taken another time, in ms: one that a user's own code has put in the
    place of what was measured.
    """
    intended_ns, begun_ns, sent_ns, first_byte_ns, _, connect_ns = timing
    end_ns = max(begun_ns + round(response_time * 1e6), sent_ns)
    return intended_ns, begun_ns, sent_ns, min(first_byte_ns, end_ns), end_ns, connect_ns
