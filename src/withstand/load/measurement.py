"""What a load run measured: histograms and counts only, so that runs merge exactly. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from withstand.stats.histogram import Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One second of one operation, by the intended start. `second` counts from the run's start.

    `width_s` is more than 1 in long runs, whose windows are joined to bound their number.
    """

    second: int
    response_time: Histogram
    errors: int
    error_time: Histogram = field(default_factory=Histogram)  # the errors' part of response_time
    width_s: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationMeasurement:
    """One operation's share. Histograms are in nanoseconds and hold every request that got a
    complete response; requests that failed are in `failures` by kind, at the time they took in
    `response_time` too, so that a timeout is never a fast request.

    `unexpected` counts responses whose status the scenario did not expect (by default: not 2xx or
    3xx); `errors` is those plus all failures. `error_time` is the errors' part of `response_time`,
    so that an objective can count a fast error as slower than any limit.
    """

    operation: str
    response_time: Histogram  # end - intended start
    service_time: Histogram  # end - send
    first_byte: Histogram  # first byte - send
    statuses: Mapping[int, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    unexpected: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    error_time: Histogram = field(default_factory=Histogram)
    windows: tuple[Window, ...] = ()

    @property
    def requests(self) -> int:
        """Requests that came to an end, well or badly."""
        return sum(self.statuses.values()) + sum(self.failures.values())

    @property
    def errors(self) -> int:
        """Failures and unexpected statuses."""
        return self.unexpected + sum(self.failures.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorHealth:
    """Whether the generator itself was up to it. `saturated` says why not, None when it was;
    `lagging` says that all was sent, but so late that the lateness colours the response times.

    `cpu_share` is the busiest process's CPU time over wall time, 1.0 for a full core.
    """

    cpu_share: float
    send_lag: Histogram  # actual send - intended start while a connection was free, nanoseconds
    processes: int = 1
    saturated: str | None = None
    lagging: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySample:
    """The server's resident memory at one moment after the run's start."""

    at_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMeasurement:
    """A whole run. `model` is open (arrivals on schedule) or closed (users wait for answers).

    `offered` arrivals were due, `sent` went out, `late` of them found no free connection and
    queued with their clock running, `unanswered` had no end when the run stopped. `left_out` says
    of operations that were asked for why they were not loaded.
    """

    model: str
    profile: str  # as a person reads it: "200/s for 10s", "50 users for 60s"
    started_at: float  # Unix seconds
    duration_s: float
    offered: int
    sent: int
    late: int
    unanswered: int
    operations: Mapping[str, OperationMeasurement]
    generator: GeneratorHealth
    server_memory: tuple[MemorySample, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False
