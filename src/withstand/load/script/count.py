"""What a user script sends under one name: the recorder, and what the sending side counts. Pure."""

from typing import Final

from withstand.load.recorder import OperationRecorder

MAX_REASONS: Final = 50
OTHER_REASONS: Final = "other reasons"
_LONGEST_REASON: Final = 200


class OperationCount:
    """One operation of a script; `tickets` counts those of it that are kept."""

    __slots__ = ("_reasons", "bytes_sent", "recorder", "sent", "tickets")

    def __init__(self, recorder: OperationRecorder) -> None:
        self.recorder = recorder
        self.sent = 0
        self.bytes_sent = 0
        self.tickets = 0
        self._reasons: set[str] = set()

    def reason(self, text: str) -> str:
        """The reason as it is counted: a text that differs each time must not fill the memory."""
        text = text[:_LONGEST_REASON] or "no reason given"
        if text in self._reasons:
            return text
        if len(self._reasons) >= MAX_REASONS:
            return OTHER_REASONS
        self._reasons.add(text)
        return text

    def reject(self, intended_ns: int, end_ns: int, reason: str) -> None:
        """Count a response as an error that was counted as none."""
        self.recorder.reject(intended_ns, end_ns, self.reason(reason))


class Ticket:
    """What a request of a script and its response belong to.

    `path` is the whole path with its query, `expected` are the statuses that are no error,
    `resendable` says whether sending it twice is as good as once, and `line` is the request line
    where it is kept to be used again.
    """

    __slots__ = ("count", "expected", "line", "path", "resendable")

    def __init__(
        self,
        count: OperationCount,
        path: str,
        *,
        expected: frozenset[int],
        resendable: bool,
        line: bytes = b"",
    ) -> None:
        self.count = count
        self.path = path
        self.expected = expected
        self.resendable = resendable
        self.line = line
