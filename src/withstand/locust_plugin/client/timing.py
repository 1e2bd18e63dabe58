"""When a request should have begun, was sent and was answered: what an event of Locust's has no
room for. Pure."""

from typing import Final


class Timing:
    """Readings of `time.perf_counter_ns`. `connect_ns` is how long its connection took to open,
    0 where it was open.
    """

    __slots__ = ("connect_ns", "end_ns", "first_byte_ns", "intended_ns", "sent_ns")

    def __init__(
        self, intended_ns: int, sent_ns: int, first_byte_ns: int, end_ns: int, connect_ns: int
    ) -> None:
        self.intended_ns = intended_ns
        self.sent_ns = sent_ns
        self.first_byte_ns = first_byte_ns
        self.end_ns = end_ns
        self.connect_ns = connect_ns


ATTRIBUTE: Final = "withstand_timing"
"""The attribute of a response that has its `Timing`."""
