"""A queue in virtual time, and a capacity search on it by the very code that the verb runs."""

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.load.recorder import OperationRecorder
from withstand.load.stress import StressMeasurement, StressStep
from withstand.load.window import Window
from withstand.slo import Objective
from withstand.slo.step_verdict import decided_after, judge_step
from withstand.stats.capacity import End, SearchPlan, Step, Tried, next_step
from withstand.stats.histogram import Histogram
from withstand.stats.quantile_bounds import CERTAINTY

OPERATION = "GET /work"
_NS_PER_S = 1_000_000_000

assert CERTAINTY == 0.98, "the figures that the tests expect are those of 98 %"


@dataclass
class Queue:
    """Customers served first come, first served, by `workers`; Poisson arrivals.

    Every `freeze_every_s` seconds nothing begins for `freeze_s`, as while a collector runs.
    """

    draw: random.Random
    service_s: Callable[[random.Random], float]
    workers: int = 8
    freeze_every_s: float = 0.0
    freeze_s: float = 0.0

    def __post_init__(self) -> None:
        self.now_s = 0.0
        self._free = [0.0] * self.workers

    def second(self, rate_per_s: float) -> list[tuple[float, float]]:
        """Arrival and end of everybody who comes within the next second."""
        came: list[tuple[float, float]] = []
        until_s = self.now_s + 1.0
        at_s = self.now_s + self.draw.expovariate(rate_per_s)
        while at_s < until_s:
            begin_s = max(at_s, self._free[0])
            if self.freeze_every_s:
                begin_s += max(self.freeze_s - begin_s % self.freeze_every_s, 0.0)
            end_s = begin_s + self.service_s(self.draw)
            heapq.heapreplace(self._free, end_s)
            came.append((at_s, end_s))
            at_s += self.draw.expovariate(rate_per_s)
        self.now_s = until_s
        return came

    def drain(self) -> None:
        """Wait until everybody was served, and a second longer."""
        self.now_s = max(self.now_s, *self._free) + 1.0


def search(queue: Queue, objectives: Sequence[Objective], plan: SearchPlan) -> StressMeasurement:
    """The steps of a whole search."""
    steps: list[StressStep] = []
    tried: list[Tried] = []
    while isinstance(wanted := next_step(plan, tried), Step):
        steps.append(take_step(queue, objectives, plan, wanted))
        tried.append(judge_step(objectives, steps[-1]).tried)
    assert isinstance(wanted, End)
    return StressMeasurement(plan=plan, steps=tuple(steps))


def take_step(
    queue: Queue, objectives: Sequence[Objective], plan: SearchPlan, wanted: Step
) -> StressStep:
    """One step, ended as soon as it is decided."""
    begun_s = queue.now_s
    recorder = OperationRecorder(OPERATION)
    came: list[tuple[float, float]] = []
    judged = -plan.warm_up_windows
    step = None
    while True:
        for at_s, end_s in (arrivals := queue.second(wanted.rate_per_s)):
            at_ns = int((at_s - begun_s) * _NS_PER_S)
            end_ns = int((end_s - begun_s) * _NS_PER_S)
            recorder.response(at_ns, at_ns, end_ns, end_ns, 200)
        came += arrivals
        judged += 1
        if judged < 1:
            continue
        windows = (*(step.load.operations[OPERATION].windows if step else ()), *recorder.changed())
        step = _step(plan, wanted, windows, judged, came, begun_s, queue)
        if decided_after(objectives, wanted, step, looked_at=judged - 1) is not None:
            queue.drain()
            return step


def _step(
    plan: SearchPlan,
    wanted: Step,
    windows: tuple[Window, ...],
    judged: int,
    came: Sequence[tuple[float, float]],
    begun_s: float,
    queue: Queue,
) -> StressStep:
    warm_s = begun_s + plan.warm_up_windows
    return StressStep(
        rate_per_s=wanted.rate_per_s,
        purpose=wanted.purpose,
        warm_up_windows=plan.warm_up_windows,
        windows=judged,
        duration_s=queue.now_s - begun_s + 1.0,
        answered=sum(warm_s <= end_s < queue.now_s for _, end_s in came),
        answered_over_s=queue.now_s - warm_s,
        load=LoadMeasurement(
            model="open",
            profile=f"{wanted.rate_per_s:g}/s",
            started_at=0.0,
            duration_s=queue.now_s - begun_s,
            offered=len(came),
            sent=len(came),
            late=0,
            unanswered=0,
            operations={OPERATION: OperationMeasurement(operation=OPERATION, windows=windows)},
            generator=GeneratorHealth(cpu_share=0.0, send_lag=Histogram()),
        ),
    )
