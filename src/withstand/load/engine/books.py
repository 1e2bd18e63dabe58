"""The books of a load under way: what it amounts to so far, as a measurement or a snapshot."""

import time
from collections.abc import Mapping
from time import perf_counter_ns

from withstand.load.engine.base import NS_PER_S, Load
from withstand.load.engine.health import Vitals
from withstand.load.generator import saturation, with_lagging
from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.load.probe.watch import ServerWatch
from withstand.load.profile.profile import Profile
from withstand.load.window import Window


class Books:
    """Counts from the beginning on, which is when this is made; `close` stops the clocks."""

    def __init__(
        self,
        load: Load,
        profile: Profile,
        origin_ns: int,
        watch: ServerWatch | None,
        vitals: Vitals,
    ) -> None:
        self.load = load
        self._profile = profile
        self._origin_ns = origin_ns
        self._watch = watch
        self._started_at = time.time() + (origin_ns - perf_counter_ns()) / NS_PER_S
        self._vitals = vitals
        self._noted: dict[str, tuple[Window, ...]] = {}
        self._samples_noted = 0
        self._closed: tuple[float, float, int, int] | None = None
        for recorder in load.recorders.values():
            recorder.origin_ns = origin_ns

    def close(self) -> None:
        """The run is over: what happens from here on is no part of it."""
        self._closed = self._clocks()

    def measurement(self, *, interrupted: bool = False) -> LoadMeasurement:
        """The whole run so far."""
        operations = {
            name: recorder.measurement(bytes_sent=self.load.bytes_sent(name))
            for name, recorder in self.load.recorders.items()
        }
        measured = self._measurement(operations, since_sample=0, interrupted=interrupted)
        return with_lagging(measured)

    def note(self, operation: str) -> None:
        """Take down the windows of an operation that changed, for the next snapshot."""
        changed = self.load.recorders[operation].changed()
        self._noted[operation] = (*self._noted.get(operation, ()), *changed)

    def snapshot(self, *, interrupted: bool = False) -> LoadMeasurement:
        """What was counted since the last one, as `Journal` takes it in."""
        for name in self.load.recorders:
            if self._closed is not None or name not in self._noted:
                self.note(name)
        operations = {
            name: OperationMeasurement(
                operation=name, windows=windows, bytes_sent=self.load.bytes_sent(name)
            )
            for name, windows in self._noted.items()
        }
        self._noted = {}
        since, self._samples_noted = self._samples_noted, self._samples
        return self._measurement(operations, since_sample=since, interrupted=interrupted)

    @property
    def _samples(self) -> int:
        return len(self._watch.samples) if self._watch is not None else 0

    def _clocks(self) -> tuple[float, float, int, int]:
        """Seconds since the schedule's zero, CPU share, requests that were due, and those of them
        without an end."""
        load = self.load
        # What comes after the schedule's end is waiting: a script may end its own.
        until_ns = perf_counter_ns() if load.over_ns is None else load.over_ns
        lasted_s = (until_ns - self._origin_ns) / NS_PER_S
        cpu_share = self._vitals.cpu_share(load.spun_ns)
        unanswered = load.in_flight + len(load.queued) + load.withdrawn
        return lasted_s, cpu_share, load.requested, unanswered

    def _measurement(
        self,
        operations: Mapping[str, OperationMeasurement],
        *,
        since_sample: int,
        interrupted: bool,
    ) -> LoadMeasurement:
        load, profile, script = self.load, self._profile, self.load.script
        lasted_s, cpu_share, requested, unanswered = self._closed or self._clocks()
        vitals = self._vitals
        return LoadMeasurement(
            model=profile.model,
            profile=profile.describe(),
            started_at=self._started_at,
            duration_s=max(min(lasted_s, profile.duration_s), 0.0),
            offered=requested,
            sent=load.sent,
            late=load.late,
            unanswered=unanswered,
            operations=operations,
            generator=GeneratorHealth(
                cpu_share=cpu_share,
                send_lag=load.send_lag.histogram(),
                loop_lag=vitals.loop_lag.histogram(),
                gc_pauses=vitals.gc_pauses.histogram(),
                descriptors=vitals.descriptors,
                descriptor_limit=vitals.limit,
                saturated=saturation(
                    model=profile.model,
                    due=load.due,
                    dispatched=load.dispatched,
                    cpu_share=cpu_share,
                    exhausted=load.exhausted,
                )
                or (script.saturation(lasted_s) if script is not None else None),
            ),
            server_samples=tuple(self._watch.samples[since_sample:]) if self._watch else (),
            probe_trouble=self._watch.trouble if self._watch else None,
            script=script,
            conditions=load.way.conditions,
            interrupted=interrupted,
        )
