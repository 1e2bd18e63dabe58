"""What was counted in a stretch of time: the unit in which a load is recorded and merged. Pure.

A run is the sum of its windows. Windows of one width that start at multiples of it merge exactly,
whichever process or machine they come from, and a window that is counted to its end can be put
away as a few bytes.
"""

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

from withstand.stats.histogram import Histogram, merged

K = TypeVar("K")
_QUICKLY: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Requests that came to an end. Histograms are in nanoseconds.

    `response_time` (end - intended start) holds all of them: a request that failed is in it at the
    time it took, so that a timeout is never a fast request. `service_time` (end - send) and
    `first_byte` (first byte - send) hold those that got a complete response; `connect` and `tls`
    how long the connections took that were opened for these requests. `failures` counts the others
    by kind. `unexpected` counts responses that are errors: a status the scenario did not expect
    (by default: not 2xx or 3xx), or not as expected otherwise, which `rejected` counts by reason.
    `error_time` is the errors' part of `response_time`, so that an objective can count a fast
    error as slower than any limit.
    """

    response_time: Histogram = field(default_factory=Histogram)
    service_time: Histogram = field(default_factory=Histogram)
    first_byte: Histogram = field(default_factory=Histogram)
    connect: Histogram = field(default_factory=Histogram)
    tls: Histogram = field(default_factory=Histogram)
    error_time: Histogram = field(default_factory=Histogram)
    statuses: Mapping[int, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    unexpected: int = 0
    bytes_received: int = 0

    @property
    def requests(self) -> int:
        """Requests that came to an end, well or badly."""
        return self.response_time.count

    @property
    def errors(self) -> int:
        """Failures and unexpected responses."""
        return self.unexpected + sum(self.failures.values())


_HISTOGRAMS: Final = ("response_time", "service_time", "first_byte", "connect", "tls", "error_time")
_COUNTED: Final = ("statuses", "failures", "rejected")


def summed(parts: Iterable[Counts]) -> dict[str, Any]:
    """The sum of any number of counts, as the fields of a new one."""
    whole = tuple(parts)
    values: dict[str, Any] = {
        name: merged(getattr(part, name) for part in whole) for name in _HISTOGRAMS
    }
    values |= {name: _added(getattr(part, name) for part in whole) for name in _COUNTED}
    values["unexpected"] = sum(part.unexpected for part in whole)
    values["bytes_received"] = sum(part.bytes_received for part in whole)
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Counts):
    """One second of one operation, by the intended start. `second` counts from the run's start.

    `width_s` is more than 1 in long runs, whose windows are joined to bound their number.
    """

    second: int
    width_s: int = 1

    def packed(self) -> bytes:
        """A few hundred bytes that `unpacked` reads."""
        row = [getattr(self, each.name) for each in fields(self)]
        text = json.dumps(row, default=Histogram.to_compact, separators=(",", ":"))
        return zlib.compress(text.encode(), _QUICKLY)


def unpacked(data: bytes) -> Window:
    """The window that was packed."""
    row = json.loads(zlib.decompress(data))
    values = dict(zip((each.name for each in fields(Window)), row, strict=True))
    for name in _HISTOGRAMS:
        values[name] = Histogram.from_compact(values[name])
    values["statuses"] = {int(status): times for status, times in values["statuses"].items()}
    return Window(**values)


def united(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows of the same seconds summed, ascending; all get the width that holds every one."""
    # Windows start at multiples of their width, so each lies within one of the joint width.
    width_s = math.lcm(*(window.width_s for window in windows))
    parts: dict[int, list[Window]] = {}
    for window in windows:
        parts.setdefault(window.second // width_s * width_s, []).append(window)
    return tuple(
        same[0]
        if len(same) == 1 and same[0].width_s == width_s
        else Window(second=second, width_s=width_s, **summed(same))
        for second, same in sorted(parts.items())
    )


def _added(counted: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for counts in counted:
        for key, times in counts.items():
            total[key] = total.get(key, 0) + times
    return total
