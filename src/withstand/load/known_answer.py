"""Answers whose head has come before, byte for byte: known without being parsed again. Pure.

A server gives most of its answers the heads of others; they change once a second, with the Date.
What the parser made of a head, and of the length of what followed it, it would make of the same
head again, so that looking it up says all that counting needs, in a fraction of the time.
"""

from typing import Final

HEAD_END: Final = b"\r\n\r\n"
MAX_KNOWN: Final = 64  # heads of a window
_ENOUGH_REPEATS: Final = 4  # of each head on average, or learning more of them is no use


class KnownAnswer:
    """An answer of `size` bytes in all, with its head; `times` counts those that were the same."""

    __slots__ = ("size", "status", "times")

    def __init__(self, size: int, status: int) -> None:
        self.size = size
        self.status = status
        self.times = 0


class KnownAnswers(dict[bytes, KnownAnswer]):
    """The answers of an operation by their heads, without HEAD_END."""

    __slots__ = ()

    def learn(self, data: bytes, status: int) -> None:
        """Take in an answer to anything but HEAD that came whole, alone and in one read, after
        which the connection was kept.

        Only where the head alone says how long the answer is: chunks say it themselves.
        """
        head = data[: data.find(HEAD_END)]
        if head in self:
            return  # and has a count to keep
        # An interim response before the final one has a head of its own, which comes first.
        is_final = head[9:12] == b"%d" % status
        if is_final and b"\ntransfer-encoding" not in head.lower():
            self[head] = KnownAnswer(len(data), status)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return len(self) >= MAX_KNOWN

    @property
    def repeat(self) -> bool:
        """Whether the answers have come again often enough for learning to be worth its while."""
        return sum(answer.times for answer in self.values()) >= _ENOUGH_REPEATS * len(self)
