"""A load from several processes: one for each part of it, all of which begin at one moment.

They keep time by `time.perf_counter_ns`, which is one clock for all processes of a machine: Python
reads CLOCK_MONOTONIC on Linux and mach_absolute_time on macOS, and its documentation promises a
system-wide clock everywhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from withstand.errors import RunVoid
from withstand.load.engine.base import NS_PER_S
from withstand.load.measurement import LoadMeasurement
from withstand.load.probe.sample import Probe, sample_interval_s
from withstand.load.probe.watch import ServerWatch
from withstand.load.profile.profile import Profile
from withstand.load.progress import Observer
from withstand.load.workers.crew import Crew
from withstand.load.workers.hire import Worker, hire
from withstand.load.workers.messages import (
    Begin,
    Broke,
    Finished,
    Generator,
    Message,
    Progressed,
    Ready,
    Report,
    Stop,
    WindDown,
)

_LEAD_NS: Final = 50_000_000  # from the last "ready" to the schedule's zero
_PROGRESS_S: Final = 0.5
_REPORT_S: Final = 1.0
# How long a worker may take to stop, or to exit: twice ten seconds are for a script's teardown.
_FAREWELL_S: Final = 30.0


async def run_workers(
    generators: Sequence[Generator],
    profile: Profile,
    *,
    observer: Observer | None = None,
    stop: asyncio.Event | None = None,
    wind_down: asyncio.Event | None = None,
    probe: Probe | None = None,
    probe_every_s: float | None = None,
    start: Callable[[], Awaitable[int]] | None = None,
    report: Callable[[LoadMeasurement], None] | None = None,
) -> LoadMeasurement:
    """Run each generator in a process of its own and measure the whole, which has this profile.

    One alone runs in this process, which starts sooner. The other arguments are those of
    `run_load`, for all of them together. A process that is gone before its time takes its share of
    the load with it, but nothing that it had reported, and the measurement's generator says so; so
    it does when an error in one of them ends the run. Raises what a generator raises before the
    load begins, and RunVoid when a process is gone by then.
    """
    if len(generators) == 1:
        return await generators[0](
            observer=observer,
            stop=stop,
            wind_down=wind_down,
            probe=probe,
            probe_every_s=probe_every_s,
            start=start,
            report=report,
        )
    watch = None
    if probe is not None:
        watch = ServerWatch(probe, probe_every_s or sample_interval_s(profile.duration_s))
        await watch.first()
    crew = Crew(profile=profile.describe(), size=len(generators))
    workers: list[Worker] = []
    try:
        while len(workers) < len(generators):
            workers.append(hire(len(workers) + 1))
        shift = Shift(crew, workers, watch, stop or asyncio.Event())
        try:
            async with asyncio.TaskGroup() as group:
                talks = await shift.begin(group, generators, start)
                beside = [
                    group.create_task(each) for each in shift.beside(observer, report, wind_down)
                ]
                await asyncio.wait(talks)
                for task in beside:
                    task.cancel()
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
    finally:
        for worker in workers:
            worker.dismiss()
    if report is not None and (last := shift.snapshot(last=True)) is not None:
        report(last)
    return shift.measurement()


class Shift:
    """The workers at work."""

    def __init__(
        self, crew: Crew, workers: Sequence[Worker], watch: ServerWatch | None, stop: asyncio.Event
    ) -> None:
        self._crew = crew
        self._workers = workers
        self._watch = watch
        self._stop = stop
        self._broken = asyncio.Event()
        self._origin_ns = 0
        self._samples_noted = 0

    async def begin(
        self,
        group: asyncio.TaskGroup,
        generators: Sequence[Generator],
        start: Callable[[], Awaitable[int]] | None,
    ) -> list[asyncio.Task[None]]:
        """Begin the load once everybody is ready; a task for each worker, which ends with it."""
        for worker, generator in zip(self._workers, generators, strict=True):
            await worker.employ(generator)
        talks = [group.create_task(self._listen(worker)) for worker in self._workers]
        await asyncio.gather(*(worker.ready for worker in self._workers))
        self._origin_ns = time.perf_counter_ns() + _LEAD_NS if start is None else await start()
        self._tell_all(Begin(origin_ns=self._origin_ns))
        return talks

    def beside(
        self,
        observer: Observer | None,
        report: Callable[[LoadMeasurement], None] | None,
        wind_down: asyncio.Event | None,
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on until the last worker has ended."""
        yield self._end_on(self._stop)
        yield self._end_on(self._broken)
        if wind_down is not None:
            yield self._wind_down_on(wind_down)
        if observer is not None:
            yield self._observe(observer)
        if report is not None:
            yield self._report(report)
        if self._watch is not None:
            yield self._watch.run(self._origin_ns)

    def measurement(self) -> LoadMeasurement:
        """The whole. Raises RunVoid when nothing was reported."""
        whole = self._crew.measurement()
        if whole is None:
            raise RunVoid(
                self._crew.lost or "no process reported anything",
                hint="run it again; if the machine was short of memory, use fewer users",
            )
        interrupted = whole.interrupted and self._stop.is_set()
        return self._with_samples(replace(whole, interrupted=interrupted), since=0)

    def snapshot(self, *, last: bool = False) -> LoadMeasurement | None:
        """What changed since the last one."""
        changed = self._crew.snapshot(last=last)
        if changed is None or self._watch is None:
            return changed
        since, self._samples_noted = self._samples_noted, len(self._watch.samples)
        return self._with_samples(changed, since=since)

    def _with_samples(self, measured: LoadMeasurement, *, since: int) -> LoadMeasurement:
        if self._watch is None:
            return measured
        samples = tuple(self._watch.samples[since:])
        return replace(measured, server_samples=samples, probe_trouble=self._watch.trouble)

    async def _listen(self, worker: Worker) -> None:
        while (message := await worker.heard()) is not None:
            match message:
                case Ready():
                    worker.ready.set_result(None)
                case Report(snapshot=snapshot):
                    self._crew.apply(worker.number, snapshot)
                case Progressed(progress=progress):
                    self._crew.progressed(worker.number, progress)
                case Broke(error=error):
                    self._broke(worker, error)
                    return
                case Finished():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(worker.end(), _FAREWELL_S)
                    return
        self._gone(worker, await worker.end())

    def _broke(self, worker: Worker, error: Exception) -> None:
        if not worker.ready.done():
            worker.ready.set_exception(error)
            return
        self._crew.lose(
            worker.number, f"ended the run with {type(error).__name__} ({error})", self._elapsed_s()
        )
        self._broken.set()

    def _gone(self, worker: Worker, how: str) -> None:
        if worker.ready.done():
            self._crew.lose(worker.number, how, self._elapsed_s())
            return
        worker.ready.set_exception(
            RunVoid(
                f"process {worker.number} of {len(self._workers)} {how} before the load began",
                hint="give fewer --processes, or see whether the machine is short of memory",
            )
        )

    def _elapsed_s(self) -> float:
        return (time.perf_counter_ns() - self._origin_ns) / NS_PER_S

    def _tell_all(self, message: Message) -> None:
        for worker in self._workers:
            worker.tell(message)

    async def _end_on(self, event: asyncio.Event) -> None:
        await event.wait()
        self._tell_all(Stop())
        await asyncio.sleep(_FAREWELL_S)
        for worker in self._workers:
            worker.process.kill()

    async def _wind_down_on(self, event: asyncio.Event) -> None:
        await event.wait()
        self._tell_all(WindDown())

    async def _observe(self, observer: Observer) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_S)
            if (progress := self._crew.progress()) is not None:
                observer(progress)

    async def _report(self, report: Callable[[LoadMeasurement], None]) -> None:
        while True:
            await asyncio.sleep(_REPORT_S)
            if (changed := self.snapshot()) is not None:
                report(changed)
