"""One scan under way: who is logged in, what is run in which order, what comes of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from withstand.client.identity import Identity
from withstand.client.listener import Listener
from withstand.client.transport import Transport
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan import groundwork as ground_rules
from withstand.scan import health, throwaways
from withstand.scan.access_matrix import notes_on
from withstand.scan.accounts import looks_like_login, sign_up_operation
from withstand.scan.agenda import Item, place_of
from withstand.scan.baselines import take_baselines
from withstand.scan.bounds import lacks
from withstand.scan.check import Check, Per, Safety
from withstand.scan.cleanup import clean_up
from withstand.scan.courier import BudgetSpent, Courier, NoiseStays
from withstand.scan.driver import Errand
from withstand.scan.examination import Examination, Readiness, examined
from withstand.scan.groundwork import Groundwork
from withstand.scan.outcomes import Outcomes
from withstand.scan.overtime import Overtime
from withstand.scan.plan import Observer, ScanPlan, ScanProgress
from withstand.scan.policy import Profile
from withstand.scan.provocation import provoke
from withstand.scan.record import ScanRecord
from withstand.scan.share import digest_of
from withstand.scan.shortfalls import shortfalls
from withstand.scan.trace import Trace

_PREPARING: Final = {
    "log in": "identities logged in",
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
        self.courier.waits = self._waits
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
        self._interrupted = False
        self._tried = False  # whether an operation was called that may be expected to succeed

    async def prepare(self) -> None:
        self._outcomes.begin(item for item in self._tests() if self.plan.wants(*item))
        self._report("log in", 0, len(self.plan.identities))
        await ground_rules.reach(self.plan, self.courier)
        await ground_rules.log_everybody_in(self.plan, self._ground, self.courier)
        self._report("baselines", 0, len(self.plan.api.operations))
        before = self.courier.requests
        await take_baselines(self.plan, self._ground, self.courier)
        # A login that refuses the scan's made-up password is as it should be.
        self._tried = self.courier.requests > before and not all(
            looks_like_login(operation, self._ground.builder)
            for operation in self.plan.api.operations
        )
        self.courier.place = "the canary"
        try:
            await health.find_canary(self.plan, self._ground, self.courier)
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
        await self._check(operations)
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
        for done, operation in enumerate(operations):
            self._report("checks", done, len(operations), operation.key)
            if self._outcomes.void is not None:
                return
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
            wanted = [check for check in checks if self.plan.wants(check, operation)]
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
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
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
        ground.notes.extend(throwaways.removed(self.plan, ground.throwaways))

    async def one(self, check: Check, operation: Operation | None, *, last: bool) -> ScanRecord:
        """One test by itself, for callers that have an order of their own: the record of just it.

        Identities are watched where a failure rests on them, after whatever may have hurt them,
        and with `last` after reads too. One that breaks voids this test and all that follow.
        """
        self._outcomes.begin([(check, operation)])
        if self._outcomes.void is None:
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
            try:
                await self._outcomes.judge(check, operation)
            except BudgetSpent as end:
                self.end_early(str(end), interrupted=False)
            harmless = check.safety is Safety.READ_ONLY and not self._outcomes.ledger.findings
            if last or not harmless:
                await self._outcomes.watch_identities()
        return self.record()

    def end_early(self, reason: str, *, interrupted: bool) -> None:
        self._interrupted = interrupted
        step = _PREPARING.get(self._progress.phase)
        where = f", while {step} and before anything was tested" if step is not None else ""
        self._ground.notes.append(f"The scan ended early{where}: {reason}.")
        self._outcomes.skip_undone(reason)

    async def clean_up(self) -> None:
        """Deletes what was created; what stays is among the notes."""
        cleared = await clean_up(
            self.plan,
            Overtime(self.courier),
            (*self.courier.created, *self.courier.observed),
            identities=self._ground.identities.values(),
            sign_up=sign_up_operation(self.plan.api, self._ground.builder),
        )
        self._ground.notes.extend(cleared.notes)

    def examination(self, problem: str | None) -> Examination:
        """What is known before any check has run."""
        ready = []
        for check in self.plan.checks:
            places = (None,) if check.per is Per.API else self.plan.api.operations
            lacking = [
                lacks(self.plan, self._ground, check, self._outcomes.subject(operation))
                for operation in places
            ]
            ready.append(
                Readiness(
                    check=check.name,
                    able=lacking.count(None),
                    lacks=tuple(dict.fromkeys(each for each in lacking if each)),
                )
            )
        return examined(
            self.plan,
            self._ground,
            tuple(ready),
            self._outcomes.mask(),
            self.courier.requests,
            problem,
        )

    def stop_listening(self) -> None:
        """From here on nobody can stop the scan: what was created is still cleaned up."""
        self._listening = False
        if self.courier.refusals:
            self._ground.notes.append(
                f"A rate limit slowed the scan: the target answered 429 {self.courier.refusals:,} "
                f"times, and {self.courier.waited_s:.0f} s went by waiting for it."
            )

    def record(self) -> ScanRecord:
        """What is known by now."""
        outcomes, shard = self._outcomes, self.plan.shard
        if outcomes.void is None and self._says_nothing():
            first = next(iter(self._ground.missing.items()), ("", ""))
            outcomes.void = (
                "No operation answered a request of the scan with success, so nothing of the API "
                f"was tested ({first[0]}: {first[1]}): check base_url{self._below()} and the "
                "identities"
            )
        if outcomes.void is not None:
            outcomes.skip_undone(outcomes.void)
        return ScanRecord(
            findings=outcomes.ledger.ordered(),
            coverage=tuple(outcomes.ledger.coverage),
            operations=tuple(operation.key for operation in self.plan.api.operations),
            identities=tuple((i.name, i.role) for i in self.plan.identities),
            requests=self.courier.requests,
            duration_s=self.courier.elapsed_s,
            notes=tuple(dict.fromkeys((*self._ground.notes, *self._notes_on_access()))),
            facts=tuple(self._ground.facts),
            void=outcomes.void,
            interrupted=self._interrupted,
            access=tuple(
                outcomes.access[operation.key]
                for operation in self.plan.api.operations
                if operation.key in outcomes.access
            ),
            shards=() if shard is None else (shard,),
            whole=None if shard is None else digest_of(map(place_of, self._tests())),
        )

    def _below(self) -> str:
        """The path that base_url lacks, where the document names one."""
        paths = (urlsplit(server).path.rstrip("/") for server in self.plan.api.servers)
        path = next(filter(None, paths), "")
        lacks = path and not self.plan.target.base_path
        return f" (the document says that the API stands below {path})" if lacks else ""

    def _says_nothing(self) -> bool:
        """Whether everything that was called refused or failed, also those who may call it."""
        known = {200, 201, 401, 403}  # somebody is there, and wants to know who asks
        alive = not self.plan.identities and any(e.status in known for e in self.courier.observed)
        return (
            self._tried
            and self.plan.policy.profile is not Profile.READONLY  # which has only what is there
            and not self._interrupted
            and not self._ground.baselines
            and not self._outcomes.ledger.findings
            and not alive
        )

    def _tests(self) -> list[Item]:
        per_operation = [check for check in self.plan.checks if check.per is not Per.API]
        whole_api = [check for check in self.plan.checks if check.per is Per.API]
        every: list[Item] = [
            *((check, op) for op in self.plan.api.operations for check in per_operation),
            *((check, None) for check in whole_api),
        ]
        return [item for item in every if self.plan.has(*item)]

    async def _new_user(self) -> Identity | str:
        return await ground_rules.new_throwaway(self.plan, self._ground, self.courier)

    def _notes_on_access(self) -> tuple[str, ...]:
        approved = self.plan.policy.approved
        rows = self._outcomes.access
        if approved is None or not rows or self._outcomes.void is not None:
            return ()
        return notes_on(rows.values(), approved, {each.key for each in self.plan.api.operations})

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
