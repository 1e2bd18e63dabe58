"""What a load run measured: histograms and counts only, so that runs merge exactly. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from withstand.load.script_record import ScriptRecord
from withstand.load.window import Counts, Window, summed, united
from withstand.sharding import Shard, missing_from
from withstand.stats.histogram import Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationMeasurement(Counts):
    """One operation's share: the sum of its windows."""

    operation: str
    bytes_sent: int = 0
    windows: tuple[Window, ...] = ()

    @classmethod
    def of(
        cls, operation: str, windows: Sequence[Window], *, bytes_sent: int = 0
    ) -> "OperationMeasurement":
        """The measurement that windows, those of one second united, amount to."""
        return cls(
            operation=operation,
            bytes_sent=bytes_sent,
            windows=united(windows),
            **summed(windows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorHealth:
    """Whether the generator itself was up to it. `saturated` says why not, None when it was;
    `lagging` says that all was sent, but so late that the lateness colours the response times;
    `lost` which part of the load was not sent, because a process or a machine was not there for it.

    `cpu_share` is the busiest process's CPU time over wall time, 1.0 for a full core, without the
    time that was spent on nothing but waiting for the next arrival. `loop_lag` is how late the
    event loop came to what it was to do every 50 ms; what it was late for, an answer may have been
    too. `descriptors` were open in the process that had most for its limit; None: not known, and
    of the limit: there is none. Histograms are in nanoseconds.
    """

    cpu_share: float
    send_lag: Histogram  # actual send - intended start while a connection was free
    loop_lag: Histogram = field(default_factory=Histogram)
    gc_pauses: Histogram = field(default_factory=Histogram)  # of the garbage collector
    descriptors: int | None = None
    descriptor_limit: int | None = None
    processes: int = 1
    saturated: str | None = None
    lagging: str | None = None
    lost: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReading:
    """What the server says of itself, or its operating system of it: resident memory, open
    descriptors, threads, CPU seconds since its start, and when it started, in Unix seconds. None
    where it was not told."""

    rss_bytes: int | None = None
    descriptors: int | None = None
    threads: int | None = None
    cpu_s: float | None = None
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSample(ServerReading):
    """A reading at one moment after the run's start."""

    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMeasurement:
    """A whole run. `model` is open (arrivals on schedule) or closed (users wait for answers).

    `offered` arrivals were due, `sent` went out, `late` of them found no free connection and
    queued with their clock running, `unanswered` had no end when the run stopped. `left_out` says
    of operations that were asked for why they were not loaded; `probe_trouble` says why the server
    could not be looked at, now and then or from some moment on. `script` is what became of a user
    script beside its requests; in the open model an arrival is one of its iterations, and `offered`
    counts the requests that these made, and one for each arrival that still waits. `conditions` are
    what a reader of the figures must know about the way they were taken, such as a proxy. `shards`
    names the parts of the whole load that were measured here; none of them stands for the whole.
    The first `warm_up_s` seconds are recorded but not judged. `aborted` says which objective ended
    the run before its time.
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
    server_samples: tuple[ServerSample, ...] = ()
    probe_trouble: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    script: ScriptRecord | None = None
    conditions: tuple[str, ...] = ()
    interrupted: bool = False
    shards: tuple[Shard, ...] = ()
    warm_up_s: int = 0
    aborted: str | None = None

    @property
    def missing_shards(self) -> tuple[Shard, ...]:
        """The parts of the whole load that were measured elsewhere, if at all."""
        return missing_from(self.shards)
