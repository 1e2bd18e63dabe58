"""Answers whose head has come before, byte for byte: known without being parsed again. Pure.

A server gives most of its answers the heads of others; they change once a second, with the Date.
What the parser made of a head, and of the length of what followed it, it would make of the same
head again, so that looking it up says all that counting needs, in a fraction of the time.
"""

from collections.abc import Iterator
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
MAX_KNOWN: Final = 64  # heads of a window
_ENOUGH_REPEATS: Final = 4  # of each head on average, or learning more of them is no use


class KnownAnswer:
    """An answer of `size` bytes in all, of which `head` is the head with HEAD_END; `times` counts
    those that were the same.
    """

    __slots__ = ("head", "size", "status", "times")

    def __init__(self, head: bytes, size: int, status: int) -> None:
        self.head = head
        self.size = size
        self.status = status
        self.times = 0


NO_ANSWER: Final = KnownAnswer(b"", -1, 0)  # of a size that none has


class KnownAnswers:
    """The answers of an operation. `latest` is the one that came last, which is the likeliest to
    come next; NO_ANSWER before the first.
    """

    __slots__ = ("_by_head", "latest")

    def __init__(self) -> None:
        self._by_head: dict[bytes, KnownAnswer] = {}
        self.latest = NO_ANSWER

    def __iter__(self) -> Iterator[KnownAnswer]:
        return iter(self._by_head.values())

    def __len__(self) -> int:
        return len(self._by_head)

    def find(self, data: bytes) -> KnownAnswer | None:
        """The answer that these bytes are, if they are a known one; it is the `latest` then."""
        known = self._by_head.get(_head_of(data))
        if known is None or known.size != len(data):
            return None
        self.latest = known
        return known

    def learn(self, data: bytes, status: int) -> None:
        """Take in an answer to anything but HEAD that came whole, alone and in one read, after
        which the connection was kept.

        Only where the head alone says how long the answer is: chunks say it themselves.
        """
        head = _head_of(data)
        if head in self._by_head:
            return  # and has a count to keep
        # An interim response before the final one has a head of its own, which comes first.
        is_final = head[9:12] == b"%d" % status
        if is_final and b"\ntransfer-encoding" not in head.lower():
            self._by_head[head] = KnownAnswer(head, len(data), status)

    def clear(self) -> None:
        """Forget them all."""
        self._by_head.clear()
        self.latest = NO_ANSWER

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return len(self) >= MAX_KNOWN

    @property
    def come_again(self) -> bool:
        """Whether the answers have come again often enough for learning to be worth its while."""
        return sum(answer.times for answer in self) >= _ENOUGH_REPEATS * len(self)


def _head_of(data: bytes) -> bytes:
    return data[: data.find(HEAD_END) + len(HEAD_END)]
