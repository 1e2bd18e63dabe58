"""A search for the sustainable rate under way: rate after rate is sent until it is known.

`withstand.stats.capacity` says which rate comes next, `withstand.slo.step_verdict` when a step is
decided and what it says; here the steps are sent.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from withstand.client.target import Target
from withstand.errors import TargetUnreachable, UsageError
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate
from withstand.load.scenario.scenario import Scenario
from withstand.load.stress import StressMeasurement, StressStep
from withstand.load.workers.division import divided
from withstand.load.workers.run import run_workers
from withstand.openapi.operation import Api
from withstand.results import Results
from withstand.slo import Objective
from withstand.slo.capacity import least_rate_per_s, objectives_of_a_step
from withstand.slo.step_verdict import judge_step
from withstand.slo.step_watch import StepWatch
from withstand.stats.capacity import SearchPlan, Step, StepState, Tried, next_step
from withstand.stats.usl import Throughput
from withstand.workflows.occasion import Occasion, results_of
from withstand.workflows.stress_plan import StressObserver, StressPlan
from withstand.workflows.wiring import stoppable

_LEAST_START_PER_S: Final = 10.0
# At the floor itself every step of the ramp would last as long as a step may.
_START_ABOVE_FLOOR: Final = 2
_REST_S: Final = 1.0
_SWEEP_WARM_UP_S: Final = 2
_SWEEP_RUN_S: Final = 5
_SWEEP_REPETITIONS: Final = 3


class Searching:
    """A search under way."""

    def __init__(
        self,
        target: Target,
        scenario: Scenario,
        stress: StressPlan,
        occasion: Occasion,
        observer: StressObserver,
    ) -> None:
        self._target = target
        self._scenario = scenario
        self._stress = stress
        self._occasion = occasion
        self._observer = observer
        self._objectives = objectives_of_a_step(occasion.objectives)
        self._plan = _plan(stress, self._objectives, scenario)
        self._sending: Mapping[str, Any] = {
            "timeout_s": stress.timeout_s,
            "connect_timeout_s": stress.connect_timeout_s,
            "keep_alive": stress.keep_alive,
        }
        self._steps: list[StressStep] = []
        self._sweep: list[Throughput] = []
        self._lost: str | None = None

    async def results(
        self, *, api: Api | None = None, left_out: Mapping[str, str] | None = None
    ) -> Results:
        """Search, sweep, and put together what was learned, interrupted or not."""
        started_at = time.time()
        async with stoppable() as stopped:
            try:
                await self._search(stopped)
                await self._sweep_users(stopped)
            except TargetUnreachable as error:
                if not self._steps:
                    raise
                self._lost = error.message
        measured = StressMeasurement(
            plan=self._plan,
            steps=tuple(self._steps),
            sweep=tuple(self._sweep),
            left_out=dict(left_out or {}),
            lost=self._lost,
            interrupted=stopped.is_set(),
        )
        return results_of(
            self._target,
            self._occasion,
            started_at,
            api=api,
            stress=measured,
            interrupted=measured.interrupted,
        )

    async def _search(self, stopped: asyncio.Event) -> None:
        tried: list[Tried] = []
        while isinstance(wanted := next_step(self._plan, tried), Step):
            self._observer.begins(f"{wanted.purpose} {wanted.rate_per_s:,.4g}/s")
            step = await self._take(wanted, stopped)
            if stopped.is_set():
                return
            verdict = judge_step(self._objectives, step)
            self._steps.append(step)
            self._observer.judged(verdict)
            tried.append(verdict.tried)
            if verdict.state is not StepState.MET:
                # What the server still works at, of what nobody waits for any more.
                await asyncio.sleep(_REST_S)

    async def _take(self, wanted: Step, stopped: asyncio.Event) -> StressStep:
        """Send at one rate until that is decided, and wait for the answers."""
        begun_s = time.monotonic()
        profile = ConstantRate(
            rate_per_s=wanted.rate_per_s,
            duration_s=float(self._plan.warm_up_windows + wanted.most_windows),
            arrivals=self._stress.arrivals,
            seed=len(self._steps) + 1,
        )
        watch = StepWatch(self._plan, wanted, profile, self._objectives)
        decided = asyncio.Event()

        def look(snapshot: LoadMeasurement) -> None:
            if watch.decides(snapshot):
                decided.set()

        load = await run_workers(
            divided(
                self._target,
                self._scenario,
                profile,
                processes=self._stress.processes,
                connections=self._stress.connections,
                **self._sending,
            ),
            profile,
            observer=self._observer.runs,
            stop=stopped,
            wind_down=decided,
            report=look,
        )
        return watch.step(load, duration_s=time.monotonic() - begun_s)

    async def _sweep_users(self, stopped: asyncio.Event) -> None:
        """Throughput by the number of users, up to where the generator is the bottleneck."""
        users = 1
        while not stopped.is_set() and users <= (self._stress.most_users or 0):
            rates: list[float] = []
            for _ in range(_SWEEP_REPETITIONS):
                self._observer.begins(f"sweep {users:,} users")
                profile = Closed(users=users, duration_s=_SWEEP_WARM_UP_S + _SWEEP_RUN_S)
                processes = self._stress.processes
                load = await run_workers(
                    divided(
                        self._target,
                        self._scenario,
                        profile,
                        processes=processes and min(processes, users),
                        **self._sending,
                    ),
                    profile,
                    observer=self._observer.runs,
                    stop=stopped,
                )
                if stopped.is_set() or load.generator.saturated or load.generator.lost:
                    return
                rates.append(_throughput_per_s(load))
            self._sweep.append(Throughput(users=users, per_s=tuple(rates)))
            users *= 2


def _plan(stress: StressPlan, objectives: tuple[Objective, ...], scenario: Scenario) -> SearchPlan:
    """The search with a start at which a step can be decided. Raises UsageError where none can."""
    weights = {call.operation: 0.0 for call in scenario.calls}
    for call in scenario.calls:
        weights[call.operation] += call.weight
    shares = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    floor_per_s = least_rate_per_s(objectives, shares, stress.search)
    start_per_s = stress.start_per_s or max(_LEAST_START_PER_S, _START_ABOVE_FLOOR * floor_per_s)
    highest_per_s = stress.search.highest_per_s
    if stress.start_per_s is None:
        start_per_s = min(start_per_s, highest_per_s)
    for what, rate_per_s in (
        ("--start-rate", start_per_s),
        ("--max-rate", highest_per_s),
        ("--require", stress.search.required_per_s),
    ):
        if rate_per_s is not None and rate_per_s < floor_per_s:
            raise UsageError(
                f"{what} {rate_per_s:.4g}/s is too low: {stress.search.most_windows} seconds of it "
                f"are too few requests to be sure of the objectives, which takes "
                f"{floor_per_s:.4g}/s",
                hint="raise --longest-step, name fewer operations, or promise a lower quantile",
            )
    if start_per_s > highest_per_s:
        raise UsageError(
            f"--start-rate {start_per_s:.4g}/s is above --max-rate {highest_per_s:.4g}/s",
            hint="start lower, or allow more",
        )
    return replace(stress.search, start_per_s=start_per_s, floor_per_s=floor_per_s)


def _throughput_per_s(load: LoadMeasurement) -> float:
    """Good answers a second to what was asked after the warm-up and before the end."""
    good = sum(
        window.requests - window.errors
        for operation in load.operations.values()
        for window in operation.windows
        if _SWEEP_WARM_UP_S <= window.second < _SWEEP_WARM_UP_S + _SWEEP_RUN_S
    )
    return good / _SWEEP_RUN_S
