"""What may be asked of a server while it is loaded, and how the answers are read. Pure.

A probe reads the server's memory, descriptors and threads at one moment. The shells of it are the
modules `engine_probe_*`: a process of this machine, a Prometheus endpoint, any command.
"""

import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from withstand.errors import UsageError
from withstand.load.measurement import ServerReading
from withstand.units import parse_size_bytes

_MOST_SAMPLES: Final = 2_880  # of a run: one every ten seconds of eight hours
_LEAST_INTERVAL_S: Final = 0.05
_USUAL_INTERVAL_S: Final = 1.0
_SHORT_RUN_SAMPLES: Final = 60

METRIC_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "memory": ("process_resident_memory_bytes",),
        "descriptors": ("process_open_fds", "process_files_open_files"),
        "threads": ("go_goroutines", "process_threads", "jvm_threads_live_threads"),
        "cpu": ("process_cpu_seconds_total",),
        "start": ("process_start_time_seconds",),
    }
)
"""What of a Prometheus exposition is read, unless told otherwise: of each the first that is there.
They are the names of the official Go, Python and Java clients and of Micrometer."""

_SAMPLE: Final = re.compile(
    r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})?\s+(?P<value>[-+0-9.eE]+)(?:\s+-?[0-9]+)?\s*$"
)
_BINARY_SIZE: Final = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[KMGT])iB$")
_UNIT_BYTES: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_FORMS: Final = 'such as 123456789, 123.4MiB, or JSON as {"rss_bytes": 123456789, "threads": 12}'
# Docker's names are those of `docker stats --format "{{json .}}"`.
_JSON_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rss_bytes": "rss_bytes",
        "MemUsage": "rss_bytes",
        "descriptors": "descriptors",
        "threads": "threads",
        "PIDs": "threads",
        "cpu_s": "cpu_s",
        "started_at": "started_at",
    }
)


class ProbeError(Exception):
    """The server could not be looked at this time. The message is the reason, in a few words."""


class Probe(Protocol):
    """Looks at a server."""

    @property
    def hint(self) -> str:
        """What to do when it cannot."""

    def read(self) -> ServerReading:
        """What there is to read now. It may block: it runs in a thread. Raises ProbeError."""


def sample_interval_s(duration_s: float, *, window_s: float | None = None) -> float:
    """How often to look: about once a second, more often in runs so short that few samples would
    come together, and seldom enough that a run of days keeps few. `window_s` is the shortest
    stretch whose minimum is wanted: it gets 40 samples where that is possible.
    """
    wanted_s = (
        min(_USUAL_INTERVAL_S, max(duration_s / _SHORT_RUN_SAMPLES, 0.25))
        if window_s is None
        else window_s / 40
    )
    return max(wanted_s, duration_s / _MOST_SAMPLES, _LEAST_INTERVAL_S)


def reading_from_metrics(text: str, names: Mapping[str, tuple[str, ...]]) -> ServerReading:
    """A reading of a Prometheus text exposition; series of one name with different labels add up.

    `names` is like METRIC_NAMES. Raises ProbeError when none of them is there.
    """
    sums: dict[str, float] = {}
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        if match is None:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        if math.isfinite(value):
            sums[match["name"]] = sums.get(match["name"], 0.0) + value
    found = {
        quantity: next((sums[name] for name in wanted if name in sums), None)
        for quantity, wanted in names.items()
    }
    if all(value is None for value in found.values()):
        sought = ", ".join(name for wanted in names.values() for name in wanted)
        raise ProbeError(f"the answer has none of the metrics {sought}")
    return ServerReading(
        rss_bytes=_whole(found.get("memory")),
        descriptors=_whole(found.get("descriptors")),
        threads=_whole(found.get("threads")),
        cpu_s=found.get("cpu"),
        started_at=found.get("start"),
    )


def reading_from_output(text: str) -> ServerReading:
    """A reading of the last line that a command printed: the memory as a number of bytes or a
    size, or a JSON object. Raises ProbeError for anything else.
    """
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    if not line.startswith("{"):
        return ServerReading(rss_bytes=_size(line))
    try:
        values = json.loads(line)
    except ValueError:
        raise ProbeError(f"the last line, {line[:60]!r}, is no JSON") from None
    read: dict[str, Any] = {}
    for name, field in _JSON_NAMES.items():
        if name in values and values[name] is not None:
            read[field] = _json_value(field, values[name])
    if not read:
        raise ProbeError(f"the last line, {line[:60]!r}, has none of {', '.join(_JSON_NAMES)}")
    return ServerReading(**read)


def _json_value(field: str, value: object) -> float:
    """Whole but for times."""
    if field == "rss_bytes":
        return _size(str(value))
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ProbeError(f"{field} is {value!r}, which is no number")
    return number if field in ("cpu_s", "started_at") else int(number)


def _size(text: str) -> int:
    """Bytes of a number, a size, or a size beside its limit, as Docker writes it."""
    size = text.partition("/")[0].strip()
    match = _BINARY_SIZE.match(size)
    if match is not None:
        return round(float(match["number"]) * _UNIT_BYTES[match["unit"]])
    try:
        return parse_size_bytes(size)
    except UsageError:
        raise ProbeError(f"the last line, {text[:60]!r}, is no size, {_FORMS}") from None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
