"""What a user script sends under one name: the recorder, and what the sending side counts. Pure."""

from typing import Final

from withstand.load.recorder import OperationRecorder

MAX_REASONS: Final = 50
MAX_LINES: Final = 256
OTHER_REASONS: Final = "other reasons"
_LONGEST_REASON: Final = 200


class OperationCount:
    """One operation of a script. `lines` holds the request lines of paths that came before."""

    __slots__ = ("_reasons", "bytes_sent", "lines", "recorder", "sent")

    def __init__(self, recorder: OperationRecorder) -> None:
        self.recorder = recorder
        self.lines: dict[str, bytes] = {}
        self.sent = 0
        self.bytes_sent = 0
        self._reasons: set[str] = set()

    def remember(self, path: str, line: bytes) -> None:
        """Keep the request line of a path, unless there are too many already."""
        if len(self.lines) < MAX_LINES:
            self.lines[path] = line

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
