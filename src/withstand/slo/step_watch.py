"""Looks at a step of a capacity search while it runs, and says when it is decided. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.profile.profile import ArrivalSchedule
from withstand.load.stress import Settling, StressStep
from withstand.slo.objective import Objective
from withstand.slo.step_verdict import decided_after
from withstand.stats.capacity import SearchPlan, Step


class StepWatch:
    """One step under way: `wanted` of the plan, sent as the schedule says."""

    def __init__(
        self,
        plan: SearchPlan,
        wanted: Step,
        schedule: ArrivalSchedule,
        objectives: Sequence[Objective],
    ) -> None:
        self._plan = plan
        self._wanted = wanted
        self._objectives = objectives
        self._schedule_s = schedule.duration_s
        self._journal = Journal()
        self._settling = Settling(schedule)
        self._windows = 0
        self._decided = False
        self._begun: tuple[int, float] | None = None
        self._ended: tuple[int, float] = (0, 0.0)

    def decides(self, snapshot: LoadMeasurement) -> bool:
        """Take in the next snapshot of the load; whether the step is over with it."""
        if self._decided:
            return True
        self._journal.apply(snapshot)
        if snapshot.generator.lost is not None:
            self._decided = True  # it is void, however long it lasts
            return True
        everything = self._journal.windows_since(0)
        self._mark(
            sum(each.requests - each.errors for some in everything.values() for each in some),
            snapshot.duration_s,
        )
        settled = self._settling.settled(everything, snapshot.duration_s)
        windows = settled - self._plan.warm_up_windows
        if windows <= self._windows:
            return False
        operations = {
            name: OperationMeasurement(operation=name, windows=some)
            for name, some in everything.items()
        }
        so_far = self._step(replace(snapshot, operations=operations), windows, duration_s=0.0)
        after = decided_after(self._objectives, self._wanted, so_far, looked_at=self._windows)
        self._decided = after is not None
        self._windows = windows if after is None else after
        return self._decided

    def step(self, load: LoadMeasurement, *, duration_s: float) -> StressStep:
        """The step as it was taken, with the load's whole measurement."""
        return self._step(load, self._windows, duration_s=duration_s)

    def _mark(self, answered: int, at_s: float) -> None:
        """Note how many good answers there are at the end of the warm-up, and at the latest.

        By the clock, not by windows: requests count in the second in which they were due, and a
        server that falls behind answers them all the same, later.
        """
        if at_s < self._plan.warm_up_windows:
            return
        if self._begun is None:
            self._begun = (answered, at_s)
        if self._ended[1] < self._schedule_s:  # beyond it nothing is asked any more
            self._ended = (answered, at_s)

    def _step(self, load: LoadMeasurement, windows: int, *, duration_s: float) -> StressStep:
        answered, from_s = self._begun or (0, 0.0)
        return StressStep(
            rate_per_s=self._wanted.rate_per_s,
            purpose=self._wanted.purpose,
            warm_up_windows=self._plan.warm_up_windows,
            windows=windows,
            duration_s=duration_s,
            answered=self._ended[0] - answered,
            answered_over_s=max(self._ended[1] - from_s, 0.0),
            load=load,
        )
