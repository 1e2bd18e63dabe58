"""One scan under way: who is logged in, what is run in which order, what comes of it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Final

from withstand.client.identity import Identity
from withstand.client.listener import Listener
from withstand.client.transport import Transport
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan.access.accounts import looks_like_login, sign_up_operation
from withstand.scan.check import Check, Per, Safety
from withstand.scan.groundwork import belongings, canary, health, identities, throwaways
from withstand.scan.groundwork.baselines import take_baselines
from withstand.scan.groundwork.examination import Examination, examined
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.shortfalls import shortfalls
from withstand.scan.groundwork.trace import Trace
from withstand.scan.plan import Observer, ScanPlan, ScanProgress
from withstand.scan.records.record import ScanRecord
from withstand.scan.records.share import digest_of
from withstand.scan.run.agenda import Item, place_of
from withstand.scan.run.bounds import readiness
from withstand.scan.run.cleanup import clean_up
from withstand.scan.run.outcomes import Outcomes
from withstand.scan.run.provocation import provoke
from withstand.scan.run.recording import End, recorded
from withstand.scan.run.rounds import FOR_THE_API, rounds
from withstand.scan.wire.courier import BudgetSpent, Courier, NoiseStays
from withstand.scan.wire.driver import Errand
from withstand.scan.wire.overtime import Overtime

_PREPARING: Final = {
    "log in": "identities logged in",
    "belongings": "what the identities have was looked at",
    "baselines": "requests that succeed were looked for",
}
"""What a scan does in the phases before the first check."""


class ScanRun:
    """The state of one scan."""

    def __init__(
        self,
        plan: ScanPlan,
        transport: Transport,
        listener: Listener | None = None,
        observer: Observer = lambda _progress: None,
        stop: Callable[[], bool] = lambda: False,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.plan = plan
        self.courier = Courier(
            transport,
            plan.budget,
            listener=listener,
            target=plan.target,
            stop=lambda: self._listening and stop(),
        )
        self.courier.new_user = self._new_user
        self.courier.waiting.announce = self._waits
        self._progress = ScanProgress(phase="log in", done=0, total=0, requests=0, findings=0)
        self._listening = True
        self._observer = observer
        self._ground = Groundwork(
            builder=RequestBuilder(
                plan.api, base_path=plan.target.base_path, nonce=plan.nonce, given=plan.given
            )
        )
        self._outcomes = Outcomes(plan, self._ground, self.courier)
        self._trace: Trace | None = None
        if trace is not None:
            self._trace = Trace(
                trace, plan.api, base_path=plan.target.base_path, mask=self._outcomes.mask
            )
            self.courier.watch = self._trace.sent
        self._end: End | None = None  # where not everything was tested
        self._tried = False  # whether an operation was called that may be expected to succeed

    async def prepare(self) -> None:
        self._outcomes.begin(item for item in self._tests() if self.plan.wants(*item))
        self._report("log in", 0, len(self.plan.identities))
        await identities.reach(self.plan, self.courier)
        await identities.log_everybody_in(self.plan, self._ground, self.courier)
        await canary.read_profiles(self.plan, self._ground, self.courier)
        self._report("belongings", 0, len(self.plan.identities))
        await belongings.see_belongings(self.plan, self._ground, self.courier)
        await identities.sign_somebody_up(self.plan, self._ground, self.courier)
        self._report("baselines", 0, len(self.plan.api.operations))
        before = self.courier.requests
        await take_baselines(self.plan, self._ground, self.courier, self._baseline_of)
        # A login that refuses the scan's made-up password is as it should be.
        self._tried = self.courier.requests > before and not all(
            looks_like_login(operation, self._ground.builder)
            for operation in self.plan.api.operations
        )
        self.courier.place = "the canary"
        try:
            harmed = await canary.find_canary(self.plan, self._ground, self.courier)
            if harmed is not None:
                self._outcomes.void = (
                    f"an identity changed while requests were tried: {harmed}; list the operation "
                    "that did it as never under [access]"
                )
        except NoiseStays as noise:
            self._ground.notes.append(
                f"The canary of the identities gave no usable answer: {noise}."
            )
        if self._trace is not None:
            self._trace.without_baseline(self._ground.attempts, self._ground.missing)
        self._ground.notes.extend(shortfalls(self.plan, self._ground))
        self._report("checks", 0, len(self.plan.api.operations))

    async def check_operations(self) -> None:
        """The checks of each operation but the logins: guessing there may leave a limit behind
        that keeps the scan's own users out."""
        operations = [
            each for each in self._in_order() if not looks_like_login(each, self._ground.builder)
        ]
        self.courier.allowance.kept_back = FOR_THE_API
        try:
            await self._check(operations)
        except BudgetSpent as end:
            self._end = End(reason=str(end))
            self._outcomes.skip_undone(str(end), operations)
            return
        finally:
            self.courier.allowance.kept_back = 0.0
        if self._outcomes.void is None and self._wants_provocation():
            self._outcomes.last = "what provokes answers"
            await provoke(self.plan, self._ground, self.courier, operations, self._outcomes.subject)
            await self._outcomes.watch_identities()

    def _wants_provocation(self) -> bool:
        """Whether answers are to be provoked: for a check that this shard answers for."""
        waiting = (check for check in self.plan.checks if check.provoked_by)
        return bool(self.plan.provoking) and any(self.plan.wants(each, None) for each in waiting)

    def _in_order(self) -> tuple[Operation, ...]:
        return in_dependency_order(self.plan.api.operations, resolve=self.plan.api.resolve)

    async def _check(self, operations: list[Operation]) -> None:
        checks = [check for check in self.plan.checks if check.per is not Per.API]
        parts = rounds(checks, len(operations), self.courier.allowance.left(self.courier.elapsed_s))
        for done, (part, operation) in enumerate(product(parts, operations)):
            self._report("checks", done, len(parts) * len(operations), operation.key)
            if self._outcomes.void is not None:
                return
            await identities.renew_if_old(self.plan, self._ground, self.courier)
            wanted = [check for check in part if self.plan.wants(check, operation)]
            for check in wanted:
                await self._outcomes.judge(check, operation)
            if wanted:
                await self._outcomes.watch_identities()

    async def check_api(self) -> None:
        """The checks of the whole API. One that only reads and waits is left alone meanwhile; those
        that flood come last, as they may leave a limit behind."""
        wanted = [check for check in self.plan.checks if check.per is Per.API]
        wanted.sort(key=lambda check: check.safety is Safety.ABUSIVE)
        logins = [each for each in self._in_order() if looks_like_login(each, self._ground.builder)]
        resting: list[Errand] = []
        for check in wanted:
            if check.safety is Safety.ABUSIVE and logins:
                await self._check(logins)
                logins = []
            if not self.plan.looks_in(check) or self._outcomes.void is not None:
                continue
            self._report("checks", len(self.plan.api.operations), 0, check.name)
            await identities.renew_if_old(self.plan, self._ground, self.courier)
            found = len(self._outcomes.ledger.findings)
            errand = await self._outcomes.begun(check)
            if errand is not None:
                resting.append(errand)
            # What only reads spoils nobody: such checks share a canary, unless one failed.
            elif (
                check.safety is not Safety.READ_ONLY or len(self._outcomes.ledger.findings) > found
            ):
                await self._outcomes.watch_identities()
        await self._check(logins)
        for errand in sorted(resting, key=lambda each: each.wakes_s):
            if self._outcomes.void is None:
                await self._outcomes.finish(errand)
            errand.close()
        if self._outcomes.void is None:
            await self._outcomes.watch_identities()

    async def finish(self) -> None:
        """All identities once more, and users of the scan's own removed, whatever happened."""
        ground = self._ground
        if self._outcomes.void is None:
            broken = await health.attest(self.plan, ground, self.courier)
            if broken is not None:
                self._outcomes.void = (
                    f"after the scan {broken}; the check that ran last was {self._outcomes.last}"
                )
            else:
                ground.notes.extend(await belongings.losses(ground, self.courier))
        ground.notes.extend(throwaways.removed(self.plan, ground.throwaways))

    async def one(self, check: Check, operation: Operation | None, *, last: bool) -> ScanRecord:
        """One test by itself, for callers that have an order of their own: the record of just it.

        Identities are watched where a failure rests on them, after whatever may have hurt them,
        and with `last` after reads too. One that breaks voids this test and all that follow.
        """
        self._outcomes.begin([(check, operation)])
        if self._outcomes.void is None:
            await identities.renew_if_old(self.plan, self._ground, self.courier)
            try:
                await self._outcomes.judge(check, operation)
            except BudgetSpent as end:
                self.end_early(str(end), interrupted=False)
            harmless = check.safety is Safety.READ_ONLY and not self._outcomes.ledger.findings
            if last or not harmless:
                await self._outcomes.watch_identities()
        return self.record()

    def end_early(self, reason: str, *, interrupted: bool) -> None:
        step = _PREPARING.get(self._progress.phase)
        where = f"while {step} and before anything was tested: " if step is not None else ""
        self._end = End(reason=where + reason, interrupted=interrupted)
        self._outcomes.skip_undone(reason)

    async def clean_up(self) -> None:
        """Deletes what was created; what stays is among the notes."""
        cleared = await clean_up(
            self.plan,
            Overtime(self.courier),
            (*self.courier.logbook.created, *self.courier.logbook.observed),
            identities=self._ground.identities.values(),
            sign_up=sign_up_operation(self.plan.api, self._ground.builder),
        )
        self._ground.notes.extend(cleared.notes)

    def examination(self, problem: str | None) -> Examination:
        """What is known before any check has run."""
        return examined(
            self.plan,
            self._ground,
            readiness(self.plan, self._ground, self._outcomes.subject),
            self._outcomes.mask(),
            self.courier.requests,
            problem or self._outcomes.void,
        )

    def stop_listening(self) -> None:
        """From here on nobody can stop the scan: what was created is still cleaned up."""
        self._listening = False
        waiting = self.courier.waiting
        if waiting.refusals:
            self._ground.notes.append(
                f"A rate limit slowed the scan: the target answered 429 {waiting.refusals:,} "
                f"times, and {waiting.waited_s:.0f} s went by waiting for it."
            )

    def record(self) -> ScanRecord:
        """What is known by now."""
        shard = self.plan.shard
        return recorded(
            self.plan,
            self._ground,
            self._outcomes,
            self._end,
            tried=self._tried,
            whole=None if shard is None else digest_of(map(place_of, self._tests())),
        )

    def _tests(self) -> list[Item]:
        per_operation = [check for check in self.plan.checks if check.per is not Per.API]
        whole_api = [check for check in self.plan.checks if check.per is Per.API]
        every: list[Item] = [
            *((check, op) for op in self.plan.api.operations for check in per_operation),
            *((check, None) for check in whole_api),
        ]
        return [item for item in every if self.plan.has(*item)]

    def _baseline_of(self, done: int, operation: Operation) -> None:
        self._report("baselines", done, len(self.plan.api.operations), operation.key)

    async def _new_user(self) -> Identity | str:
        return await identities.new_throwaway(self.plan, self._ground, self.courier)

    def _report(self, phase: str, done: int, total: int, now: str = "") -> None:
        self._progress = ScanProgress(
            phase=phase,
            done=done,
            total=total,
            requests=self.courier.requests,
            findings=len(self._outcomes.ledger.findings),
            now=now,
        )
        self._observer(self._progress)

    def _waits(self, seconds: float) -> None:
        self._observer(replace(self._progress, requests=self.courier.requests, waits_s=seconds))
