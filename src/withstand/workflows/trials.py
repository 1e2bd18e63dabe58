"""The trials: document → requests that succeed → one after the other until decided → Results."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

from withstand.client.exchange import Exchange, Failure, FailureKind, Request
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.client.wire import Wire
from withstand.results import Results
from withstand.scan.groundwork.preparation import Prepared, chosen_operations, prepared_requests
from withstand.scan.plan import ScanPlan
from withstand.slo.rota import Rota
from withstand.slo.trial import Trial
from withstand.slo.trial_plan import TrialPlan, digest_of_plan, share_of, trial_plan
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.durations import Durations
from withstand.workflows.document_load import refuse_unknown
from withstand.workflows.occasion import Occasion, results_of
from withstand.workflows.wiring import open_wire, stoppable

DEFAULT_BUDGET_S: Final = 30.0
_PROBES: Final = 3  # of a target that gave no answer, before it is called gone
_BETWEEN_PROBES_S: Final = 0.5
_LAST_S_OF_A_TOKEN: Final = 2.0  # whatever is sent in them may arrive too late


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """How far the trials are, for whoever draws it: operations, and the one at hand."""

    over: int
    total: int
    requests: int
    failed: int
    now: str


TrialObserver = Callable[[TrialProgress], None]


def run_trials(
    plan: ScanPlan,
    occasion: Occasion,
    *,
    wanted: TrialPlan | None = None,
    budget_s: float = DEFAULT_BUDGET_S,
    observer: TrialObserver = lambda _progress: None,
) -> Results:
    """The document's operations, each held against the objectives that cover it, or those in
    `wanted` alone.

    One request at a time, each after the answer to the one before, with the operations taking
    turns, until all objectives are decided or `budget_s` of each operation is spent. Ctrl-C ends
    the trials and keeps what was learned; so does a target that is gone, which voids them. Raises
    UsageError for an objective on no operation of the document, TargetUnreachable and
    IdentityBroken.
    """
    refuse_unknown(plan.api, occasion.objectives)
    every = wanted or trial_plan(plan.api, occasion.objectives)
    here = every if plan.shard is None else share_of(every, plan.shard)
    started_at = time.time()

    async def journey() -> Results:
        async with (
            stoppable() as stopped,
            open_wire(plan.target, plan.timeout_s, plan.connect_timeout_s) as wire,
        ):
            record = await _tried(
                plan,
                here,
                wire,
                stopped,
                budget_s,
                observer,
            )
        return results_of(
            plan.target,
            occasion,
            started_at,
            api=plan.api,
            trials=record
            if plan.shard is None
            else replace(record, shards=(plan.shard,), whole=digest_of_plan(every)),
            interrupted=stopped.is_set(),
        )

    return run(journey())


async def _tried(
    plan: ScanPlan,
    wanted: TrialPlan,
    wire: Wire,
    stopped: asyncio.Event,
    budget_s: float,
    observer: TrialObserver,
) -> TrialRecord:
    nothing = TrialRecord(operations={}, budget_s=budget_s, left_out=wanted.left_out)
    if not wanted.objectives:
        return nothing
    prepared = await _prepared(plan, tuple(wanted.objectives), wire, stopped)
    if prepared is None:
        return replace(nothing, ended="it was interrupted")
    trials = {
        key: Trial(key, objectives)
        for key, objectives in wanted.objectives.items()
        if key in prepared.requests
    }
    session = _Session(
        plan.target, wire, {key: prepared.requests[key][0] for key in trials}, trials, budget_s
    )
    await session.run(stopped, prepared.expires_at_s, observer)
    unprepared = {key: why for key, why in prepared.missing.items() if key in wanted.objectives}
    left_out = {**wanted.left_out, **unprepared, **session.left_out}
    return session.record(left_out)


async def _prepared(
    plan: ScanPlan, keys: tuple[str, ...], wire: Wire, stopped: asyncio.Event
) -> Prepared | None:
    """Requests that succeed, those of all reads among them, which tell of objects that the others
    need; None when somebody stopped it.
    """
    reads = tuple(each.key for each in plan.api.operations if each.is_read)
    chosen = replace(plan, api=chosen_operations(plan.api, (*reads, *keys)))
    preparing = asyncio.create_task(prepared_requests(chosen, wire, now_s=time.time()))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((preparing, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (preparing, stopping):
        task.cancel()
    with suppress(asyncio.CancelledError):
        return await preparing
    return None


@dataclass(slots=True, kw_only=True)
class _Taken:
    """What was measured of one operation."""

    durations: list[int | None] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


class _Session:
    """One after the other."""

    def __init__(
        self,
        target: Target,
        wire: Wire,
        requests: Mapping[str, Request],
        trials: Mapping[str, Trial],
        budget_s: float,
    ) -> None:
        self._target, self._wire, self._requests = target, wire, requests
        self._rota = Rota(trials, budget_s=budget_s)
        self._budget_s = budget_s
        self._taken = {operation: _Taken() for operation in trials}
        self.left_out: dict[str, str] = {}
        self._ended: str | None = None
        self._void: str | None = None

    async def run(
        self, stopped: asyncio.Event, expires_at_s: float | None, observer: TrialObserver
    ) -> None:
        while self._void is None:
            if stopped.is_set():
                self._ended = "it was interrupted"
                return
            if expires_at_s is not None and time.time() > expires_at_s - _LAST_S_OF_A_TOKEN:
                self._ended = "a token expired; log in for longer-lived ones under [login]"
                return
            operation = self._rota.next(perf_counter())
            if operation is None:
                wait_s = self._rota.wait_s(perf_counter())
                if wait_s is None:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), wait_s)
                continue
            observer(self._progress(operation))
            await self._ask(operation)

    async def _ask(self, operation: str) -> None:
        request = self._requests[operation]
        began_s = perf_counter()
        exchange = await self._wire.send(request)
        spent_s = perf_counter() - began_s
        if isinstance(exchange.outcome, Failure) and await self._is_gone(exchange.outcome):
            return
        if self._cannot_be_repeated(operation, exchange):
            return
        elapsed_ns = exchange.timing.service_time_ns if exchange.succeeded else None
        now_s = perf_counter()
        if not self._rota.took(operation, elapsed_ns, spent_s=spent_s, now_s=now_s):
            return
        taken = self._taken[operation]
        taken.durations.append(elapsed_ns)
        if elapsed_ns is None:
            taken.errors[_what_failed(exchange)] += 1

    def _cannot_be_repeated(self, operation: str, exchange: Exchange) -> bool:
        """A write that was accepted once and is refused now, as nothing is left to be deleted or
        the name is taken: the caller's fault, and no promise broken.
        """
        status = exchange.status
        first = self._rota.warming_up(operation) and not self._rota.warmed_up(operation)
        refused = status is not None and 400 <= status < 500 and status != 429
        if not (first and refused) or self._requests[operation].method in ("GET", "HEAD"):
            return False
        self._rota.withdraw(operation)
        del self._taken[operation]
        self.left_out[operation] = (
            f"the request that succeeded once got {status} when it was sent again, so it cannot "
            f"be repeated"
        )
        return True

    async def _is_gone(self, failure: Failure) -> bool:
        """Whether the target answers nothing any more, or this machine cannot ask: then the request
        says nothing about the operation.
        """
        if failure.kind is FailureKind.EXHAUSTED:
            self._void = f"this machine could not send a request ({failure})"
            return True
        anything = Request(method="GET", path=f"{self._target.base_path}/")
        for number in range(_PROBES):
            if number:
                await asyncio.sleep(_BETWEEN_PROBES_S)
            exchange = await self._wire.send(anything, fresh=True)
            if not isinstance(exchange.outcome, Failure):
                return False
        self._void = f"{self._target.base_url} stopped answering ({failure})"
        return True

    def _progress(self, operation: str) -> TrialProgress:
        return TrialProgress(
            over=self._rota.over,
            total=len(self._taken) + len(self.left_out),
            requests=sum(len(each.durations) for each in self._taken.values()),
            failed=sum(each.errors.total() for each in self._taken.values()),
            now=operation,
        )

    def record(self, left_out: Mapping[str, str]) -> TrialRecord:
        return TrialRecord(
            operations={
                operation: (
                    TrialShare(
                        durations=Durations(tuple(taken.durations)),
                        warm_up=self._rota.warmed_up(operation),
                        errors=dict(taken.errors),
                        spent_s=round(self._rota.spent_s(operation), 6),
                    ),
                )
                for operation, taken in self._taken.items()
            },
            budget_s=self._budget_s,
            left_out=left_out,
            ended=self._ended,
            void=self._void,
        )


def _what_failed(exchange: Exchange) -> str:
    outcome = exchange.outcome
    return outcome.kind.value if isinstance(outcome, Failure) else f"status {outcome.status}"
