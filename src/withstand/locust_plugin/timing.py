"""When a request should have begun, was sent and was answered: what an event of Locust's has no
room for. Pure."""

from typing import Final

Timing = tuple[int, int, int, int, int]
"""Intended, sent, first byte, end, each a reading of `time.perf_counter_ns`; and how long the
connection took to open, in ns, 0 where it was open. A bare tuple, because one is made per request.
"""

ATTRIBUTE: Final = "withstand_timing"
"""The attribute of a response that has its `Timing`."""
