"""Every request of Locust's users, counted exactly: by operation and second, as of the own engine.

Locust's statistics round to two digits and know one clock. These are kept beside them, from the
same events.
"""

from time import perf_counter_ns, time
from typing import Any, Final

from requests.exceptions import HTTPError

from withstand.load.recorder import OperationRecorder
from withstand.load.window import Window
from withstand.locust_plugin.failure_kinds import failure_kind
from withstand.locust_plugin.timing import ATTRIBUTE, Timing, response_ms, retold

_EVERY_STATUS: Final = frozenset(range(1_000))  # what is an error is for Locust to say
_LONGEST_REASON: Final = 200
_MAX_REASONS: Final = 500


class Recording:
    """The requests of one test, from its start, in this process."""

    def __init__(self, *, width_s: int) -> None:
        self.started_at = time()
        self.origin_ns = perf_counter_ns()
        self._width_s = width_s
        self._recorders: dict[tuple[str, str], OperationRecorder] = {}
        self.find = self._recorders.get  # the recorder of a method and name; None before the first
        self._reasons: set[str] = set()
        self.completed = 0

    def good(self, method: str, name: str, status: int, size_bytes: int, timing: Timing) -> None:
        """Count an answer that is no error."""
        recorder = self._recorders.get((method, name))
        if recorder is None:
            recorder = self._recorder(method, name)
        intended_ns, _begun_ns, sent_ns, first_byte_ns, end_ns, connect_ns = timing
        self.completed += 1
        recorder.response(intended_ns, sent_ns, first_byte_ns, end_ns, status, size_bytes)
        if connect_ns:
            recorder.connected(intended_ns, connect_ns, None)

    def request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | str | None = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        """Count a request as an event of Locust's tells of it."""
        timing: Timing | None = getattr(response, ATTRIBUTE, None)
        if timing is None:
            end_ns = perf_counter_ns()
            start_ns = max(end_ns - int((response_time or 0) * 1e6), self.origin_ns)
            timing = (start_ns, start_ns, start_ns, end_ns, end_ns, 0)
        elif response_time is not None and response_time != response_ms(timing):
            timing = retold(timing, response_time)
        status = getattr(response, "status_code", None)
        status = status if isinstance(status, int) and 0 < status < 1_000 else 0
        if not exception:
            self.good(str(request_type), name, status, response_length or 0, timing)
            return
        intended_ns, end_ns = timing[0], timing[4]
        recorder = self._recorder(str(request_type), name)
        if status == 0 and (kind := failure_kind(exception)) is not None:
            self.completed += 1
            recorder.failure(intended_ns, end_ns, kind)
            return
        self.good(str(request_type), name, status, response_length or 0, timing)
        recorder.reject(intended_ns, end_ns, self._reason(exception, status))

    def _reason(self, exception: BaseException | str, status: int) -> str | None:
        """Why a response is an error; None where its status says it."""
        if status >= 400 and (
            isinstance(exception, HTTPError) or type(exception).__name__ == "LocustBadStatusCode"
        ):
            return None
        text = " ".join(str(exception).split())[:_LONGEST_REASON] or type(exception).__name__
        if text not in self._reasons:
            if len(self._reasons) >= _MAX_REASONS:
                return "other reasons"
            self._reasons.add(text)
        return text

    def _recorder(self, method: str, name: str) -> OperationRecorder:
        key = (method, name)
        recorder = self._recorders.get(key)
        if recorder is None:
            operation = name if name.startswith(f"{method} ") else f"{method} {name}".strip()
            recorder = self._recorders[key] = OperationRecorder(
                operation,
                origin_ns=self.origin_ns,
                width_s=self._width_s,
                expected=_EVERY_STATUS,
            )
        return recorder

    def changed(self) -> dict[str, tuple[Window, ...]]:
        """The windows of each operation in which something was counted since the last call."""
        found = ((each.operation, each.changed()) for each in self._recorders.values())
        return {name: windows for name, windows in found if windows}

    def tell_again(self, since_ns: int) -> None:
        """Tell once more of what began since then."""
        for recorder in self._recorders.values():
            recorder.tell_again(since_ns)

    def settle(self) -> None:
        """Put away what is over, a window at a time."""
        before_ns = perf_counter_ns() - 10_000_000_000
        for recorder in self._recorders.values():
            recorder.settle(before_ns)
