"""One test in one process of Locust's: what was recorded, and how the process fared."""

import gc
from time import perf_counter_ns
from typing import Any, Final

import gevent

from withstand.load.engine.health import Vitals
from withstand.load.generator import saturation
from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.locust_plugin.pacing import PACING
from withstand.locust_plugin.recording import Recording
from withstand.locust_plugin.watch import WATCH
from withstand.stats.histogram import Histogram
from withstand.units import format_count

_BEAT_NS: Final = 50_000_000
_COLLECT_EVERY: Final = 100_000
_NS_PER_S: Final = 1_000_000_000


class TestRun:
    """From the start of a test; `stopped` once it is over."""

    def __init__(self, *, width_s: int) -> None:
        self._width_s = width_s
        self.recording = Recording(width_s=width_s)
        self.stopped = False
        self._stopped_ns = 0
        self._reset_after_s: float | None = None
        self._started_before = WATCH.started
        self._missed_before = PACING.missed
        _quieten_collector()
        self._vitals = Vitals()
        self._vitals.__enter__()
        self._vitals.begin()
        self._beat = gevent.spawn(self._feel_pulse)

    @property
    def elapsed_s(self) -> float:
        """How long it lasts, or lasted."""
        now_ns = self._stopped_ns or perf_counter_ns()
        return (now_ns - self.recording.origin_ns) / _NS_PER_S

    def stop(self) -> None:
        """The test is over."""
        if not self.stopped:
            self._stopped_ns = perf_counter_ns()
            self.stopped = True
            self._beat.kill(block=False)
            self._vitals.__exit__(None, None, None)

    def reset(self) -> None:
        """Forget what was counted, and go on."""
        fresh = Recording(width_s=self._width_s)
        fresh.origin_ns, fresh.started_at = self.recording.origin_ns, self.recording.started_at
        self._reset_after_s = self.elapsed_s
        self._started_before = WATCH.started
        self.recording = fresh

    def snapshot(self, profile: str) -> LoadMeasurement:
        """What was counted since the last one, as a journal takes it in."""
        recording = self.recording
        operations = {
            name: OperationMeasurement(operation=name, windows=windows)
            for name, windows in recording.changed().items()
        }
        recording.settle()
        started = max(WATCH.started - self._started_before, recording.completed)
        return LoadMeasurement(
            model="closed",
            profile=profile,
            started_at=recording.started_at,
            duration_s=self.elapsed_s,
            offered=started,
            sent=started,
            late=0,
            unanswered=started - recording.completed,
            operations=operations,
            generator=self._health(started),
            conditions=tuple(self._conditions()),
        )

    def _health(self, started: int) -> GeneratorHealth:
        share = self._vitals.cpu_share(0)
        return GeneratorHealth(
            cpu_share=share,
            send_lag=Histogram(),
            loop_lag=self._vitals.loop_lag.histogram(),
            gc_pauses=self._vitals.gc_pauses.histogram(),
            descriptors=self._vitals.descriptors,
            descriptor_limit=self._vitals.limit,
            saturated=saturation(model="closed", due=started, dispatched=started, cpu_share=share),
        )

    def _conditions(self) -> Any:
        yield "sent by Locust's users, through Withstand's client where a request allows it"
        if self._reset_after_s is not None:
            yield (
                f"statistics were reset {self._reset_after_s:.0f} s after the start; what came "
                f"before is not in these figures"
            )
        if PACING.paced:
            phases = "staggered" if PACING.staggered else "as they began"
            yield f"paced iterations have their clock running since they were due; phases {phases}"
        if missed := PACING.missed - self._missed_before:
            yield (
                f"{format_count(missed)} paced iterations came due while their user waited for an "
                f"answer, and never took place: Locust does not make up for them, so the tail is "
                f"better here than for users who do not wait"
            )

    def _feel_pulse(self) -> None:
        due_ns = perf_counter_ns() + _BEAT_NS
        while True:
            gevent.sleep(max(due_ns - perf_counter_ns(), 0) / _NS_PER_S)
            now_ns = perf_counter_ns()
            while due_ns <= now_ns:
                self._vitals.loop_lag.record(now_ns - due_ns)
                due_ns += _BEAT_NS


def _quieten_collector() -> None:
    """Keep the cyclic garbage collector away from what exists already; requests make no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])
