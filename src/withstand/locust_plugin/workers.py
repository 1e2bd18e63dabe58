"""What the master knows of its workers' recordings, and of itself where it is alone."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement
from withstand.load.workers.crew import Crew
from withstand.locust_plugin.parcel import unwrapped
from withstand.locust_plugin.test_run import TestRun


class Workers:
    """The books of one test. `run` is the master's own part in it: its clock."""

    def __init__(self, run: TestRun, *, profile: str, size: int) -> None:
        self._run = run
        self._profile = profile
        self._size = size
        self.crew = Crew(profile=profile, size=size)
        self._numbers: dict[str, int] = {}
        self._offsets_s: dict[str, int] = {}
        self._reached_s: dict[str, float] = {}
        self._stopped: set[str] = set()
        self._gone: set[str] = set()
        self._strangers: dict[str, str] = {}

    def forget(self) -> None:
        """Statistics were reset."""
        self.crew = Crew(profile=self._profile, size=self._size)

    def heard(self, worker: str, data: dict[str, Any]) -> None:
        """A worker reports."""
        parcel = data.get("withstand")
        if parcel is None:
            if data.get("stats"):
                self._strangers[worker] = "runs without Withstand"
            return
        try:
            snapshot, stopped = unwrapped(parcel, source=f"worker {worker}")
        except UsageError as error:
            self._strangers[worker] = f"runs another version of Withstand ({error.message})"
            return
        if snapshot.duration_s > self._run.elapsed_s + 3.0:
            return  # the last words of the test before
        self.apply(worker, snapshot)
        if stopped:
            self._stopped.add(worker)

    def apply(self, worker: str, snapshot: LoadMeasurement) -> None:
        """Take in a snapshot, whose first second is that in which its worker began."""
        number = self._numbers.setdefault(worker, len(self._numbers) + 1)
        if worker not in self._offsets_s:
            late_s = self._run.elapsed_s - snapshot.duration_s
            self._offsets_s[worker] = max(round(late_s), 0)
        self._reached_s[worker] = snapshot.duration_s + self._offsets_s[worker]
        self.crew.apply(number, moved(snapshot, self._offsets_s[worker]))

    def have_stopped(self, present: Collection[str]) -> bool:
        """Whether all of those who have reported and are `present` have said their last words."""
        return not (self._numbers.keys() - self._stopped) & set(present)

    def look_after(self, present: Collection[str]) -> None:
        """Note who is gone: whoever has reported, has not stopped and is not `present`."""
        for worker, number in self._numbers.items():
            if worker in self._stopped or worker in self._gone or worker in present:
                continue
            self._gone.add(worker)
            self.crew.lose(number, f"(worker {worker}) was gone", self._reached_s[worker])

    def completed(self, measured: LoadMeasurement | None) -> LoadMeasurement | None:
        """A measurement with what is missing in it."""
        if measured is None or not self._strangers:
            return measured
        missing = "; ".join(
            f"worker {worker} {why}, so its requests are not in these figures"
            for worker, why in sorted(self._strangers.items())
        )
        lost = measured.generator.lost
        generator = replace(measured.generator, lost=f"{lost}; {missing}" if lost else missing)
        return replace(measured, generator=generator)


def moved(snapshot: LoadMeasurement, by_s: int) -> LoadMeasurement:
    """A snapshot of a worker that began so many seconds after the others."""
    if not by_s:
        return snapshot
    operations = {}
    for name, each in snapshot.operations.items():
        windows = tuple(
            replace(window, second=window.second + by_s - by_s % window.width_s)
            for window in each.windows
        )
        operations[name] = replace(each, windows=windows)
    return replace(snapshot, duration_s=snapshot.duration_s + by_s, operations=operations)
