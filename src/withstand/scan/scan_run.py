"""One scan under way: who is logged in, what was judged, and whether that still counts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from withstand.client.identity import Identity
from withstand.client.listener import Listener
from withstand.client.masking import Mask
from withstand.client.transport import Transport
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan import groundwork as ground_rules
from withstand.scan import health, throwaways
from withstand.scan.access_matrix import AccessRow, notes_on
from withstand.scan.accounts import looks_like_login, sign_up_operation
from withstand.scan.agenda import Agenda
from withstand.scan.baselines import take_baselines
from withstand.scan.bounds import lacks, out_of_bounds
from withstand.scan.check import (
    Check,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Per,
    Safety,
    Skipped,
)
from withstand.scan.cleanup import clean_up
from withstand.scan.courier import BudgetSpent, Courier, NoiseStays
from withstand.scan.driver import Errand, carried, judge
from withstand.scan.examination import Examination, Readiness, examined
from withstand.scan.groundwork import Groundwork
from withstand.scan.overtime import Overtime
from withstand.scan.plan import Observer, ScanPlan, ScanProgress
from withstand.scan.policy import Profile
from withstand.scan.provocation import provoke
from withstand.scan.record import ScanRecord
from withstand.scan.reporting import Ledger, texts_of
from withstand.scan.role_access import observe, unobserved
from withstand.scan.shortfalls import shortfalls
from withstand.scan.subject import Subject
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
        self._trace: Trace | None = None
        if trace is not None:
            self._trace = Trace(trace, plan.api, base_path=plan.target.base_path, mask=self._mask)
            self.courier.watch = self._trace.sent
        self._ledger = Ledger()
        self._void: str | None = None
        self._interrupted = False
        self._tried = False  # whether an operation was called that may be expected to succeed
        self._undone = Agenda()
        self._access: dict[str, AccessRow] = {}
        self._last = "no check"  # the check that ran last
        self._good = 0  # coverage rows at the last moment when every identity was healthy
        self._since_good: list[tuple[Check, Operation | None]] = []
        self._masked: dict[str, str] = {}
        self._the_mask = Mask({})
        self._asked_at = 0  # requests sent when the identities were last asked

    async def prepare(self) -> None:
        self._undone = self._agenda()
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
        if self.plan.provoking and self._void is None:
            self._last = "what provokes answers"
            await provoke(self.plan, self._ground, self.courier, operations, self._subject)
            await self._watch_identities()

    def _in_order(self) -> tuple[Operation, ...]:
        return in_dependency_order(self.plan.api.operations, resolve=self.plan.api.resolve)

    async def _check(self, operations: list[Operation]) -> None:
        checks = [check for check in self.plan.checks if check.per is not Per.API]
        for done, operation in enumerate(operations):
            self._report("checks", done, len(operations), operation.key)
            if self._void is not None:
                return
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
            wanted = [check for check in checks if self.plan.wants(check, operation)]
            for check in wanted:
                await self._judge(check, operation)
            if wanted:
                await self._watch_identities()

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
            if not self.plan.wants(check, None) or self._void is not None:
                continue
            self._report("checks", len(self.plan.api.operations), 0, check.name)
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
            found = len(self._ledger.findings)
            errand = await self._begun(check)
            if errand is not None:
                resting.append(errand)
            # What only reads spoils nobody: such checks share a canary, unless one failed.
            elif check.safety is not Safety.READ_ONLY or len(self._ledger.findings) > found:
                await self._watch_identities()
        await self._check(logins)
        for errand in sorted(resting, key=lambda each: each.wakes_s):
            if self._void is None:
                await self._finish(errand)
            errand.close()
        if self._void is None:
            await self._watch_identities()

    async def finish(self) -> None:
        """All identities once more, and users of the scan's own removed, whatever happened."""
        ground = self._ground
        if self._void is None:
            broken = await health.attest(self.plan, ground, self.courier)
            if broken is not None:
                self._void = f"after the scan {broken}; the check that ran last was {self._last}"
        ground.notes.extend(throwaways.removed(self.plan, ground.throwaways))

    async def one(self, check: Check, operation: Operation | None, *, last: bool) -> ScanRecord:
        """One test by itself, for callers that have an order of their own: the record of just it.

        Identities are watched where a failure rests on them, after whatever may have hurt them,
        and with `last` after reads too. One that breaks voids this test and all that follow.
        """
        self._ledger, self._undone = Ledger(), Agenda([(check, operation)])
        self._good, self._since_good = 0, []
        if self._void is None:
            await ground_rules.renew_if_old(self.plan, self._ground, self.courier)
            try:
                await self._judge(check, operation)
            except BudgetSpent as end:
                self.end_early(str(end), interrupted=False)
            harmless = check.safety is Safety.READ_ONLY and not self._ledger.findings
            if last or not harmless:
                await self._watch_identities()
        return self.record()

    def end_early(self, reason: str, *, interrupted: bool) -> None:
        self._interrupted = interrupted
        step = _PREPARING.get(self._progress.phase)
        where = f", while {step} and before anything was tested" if step is not None else ""
        self._ground.notes.append(f"The scan ended early{where}: {reason}.")
        for check, operation in self._undone:
            self._enter(check, operation, Skipped(reason=reason))
        self._undone = Agenda()

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
                lacks(self.plan, self._ground, check, self._subject(operation))
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
            self.plan, self._ground, tuple(ready), self._mask(), self.courier.requests, problem
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
        if self._void is None and self._says_nothing():
            first = next(iter(self._ground.missing.items()), ("", ""))
            self._void = (
                "No operation answered a request of the scan with success, so nothing of the API "
                f"was tested ({first[0]}: {first[1]}): check base_url and the identities"
            )
        if self._void is not None:
            for check, operation in self._undone:
                self._enter(check, operation, Skipped(reason=self._void))
        return ScanRecord(
            findings=self._ledger.ordered(),
            coverage=tuple(self._ledger.coverage),
            operations=tuple(operation.key for operation in self.plan.api.operations),
            identities=tuple((i.name, i.role) for i in self.plan.identities),
            requests=self.courier.requests,
            duration_s=self.courier.elapsed_s,
            notes=tuple(dict.fromkeys((*self._ground.notes, *self._notes_on_access()))),
            facts=tuple(self._ground.facts),
            void=self._void,
            interrupted=self._interrupted,
            access=tuple(
                self._access[operation.key]
                for operation in self.plan.api.operations
                if operation.key in self._access
            ),
        )

    async def _observe_access(self, operation: Operation) -> None:
        """The operation's row of the access matrix, which the check that reads it is shown."""
        subject = self._subject(operation)
        if subject.baseline is None:
            row = unobserved(subject, self._ground.missing.get(operation.key, "no baseline"))
        else:
            try:
                row = (await carried(observe(subject), subject, self.courier)).row
            except NoiseStays as noise:
                row = unobserved(subject, f"the target gave no usable answer: {noise}")
        self._access[operation.key] = row

    def _says_nothing(self) -> bool:
        """Whether everything that was called refused or failed, also those who may call it."""
        known = {200, 201, 401, 403}  # somebody is there, and wants to know who asks
        alive = not self.plan.identities and any(e.status in known for e in self.courier.observed)
        return (
            self._tried
            and self.plan.policy.profile is not Profile.READONLY  # which has only what is there
            and not self._interrupted
            and not self._ground.baselines
            and not self._ledger.findings
            and not alive
        )

    def _agenda(self) -> Agenda:
        per_operation = [check for check in self.plan.checks if check.per is not Per.API]
        whole_api = [check for check in self.plan.checks if check.per is Per.API]
        every: list[tuple[Check, Operation | None]] = [
            *((check, op) for op in self.plan.api.operations for check in per_operation),
            *((check, None) for check in whole_api),
        ]
        return Agenda(item for item in every if self.plan.wants(*item))

    async def _judge(self, check: Check, operation: Operation | None) -> None:
        if check.reads_access and operation is not None:
            await self._observe_access(operation)
        outcome = out_of_bounds(self.plan, self._ground, check, operation)
        if outcome is None:
            self.courier.place = operation.key if operation is not None else check.name
            self._last = check.name + (f" on {operation.key}" if operation is not None else "")
            outcome = await self._judged(check, operation)
        self._close(check, operation, outcome)

    def _close(self, check: Check, operation: Operation | None, outcome: Outcome) -> None:
        ground_rules.go_on_with(self._ground, self.courier)
        self._undone.remove((check, operation))
        self._since_good.append((check, operation))
        self._enter(check, operation, outcome)

    async def _begun(self, check: Check) -> Errand | None:
        """Judges a check of the whole API; what remains of it where it only reads and rests."""
        if (
            check.safety is not Safety.READ_ONLY
            or out_of_bounds(self.plan, self._ground, check, None) is not None
        ):
            await self._judge(check, None)
            return None
        errand = Errand(check, self._subject(None), self.courier)
        self.courier.place = self._last = check.name
        outcome = await errand.until_it_rests()
        if outcome is None:
            return errand
        self._close(check, None, outcome)
        return None

    async def _finish(self, errand: Errand) -> None:
        outcome: Outcome | None = None
        while outcome is None:
            await self.courier.pause(max(0.0, errand.wakes_s - self.courier.now_s()))
            self.courier.place = self._last = errand.check.name
            outcome = await errand.until_it_rests()
        self._close(errand.check, None, outcome)

    async def _judged(self, check: Check, operation: Operation | None) -> Outcome:
        """The outcome; without a baseline a failure may be proved beside a refusal, but no pass."""
        subject = self._subject(operation)
        if operation is None or subject.baseline is not None or not check.needs_baseline:
            return await judge(check, subject, self.courier)
        subject = replace(subject, baseline=self._ground.refused[operation.key])
        outcome = await judge(check, subject, self.courier)
        if isinstance(outcome, Failed | FailedMany | Skipped):
            return outcome
        return Inconclusive(reason=self._ground.missing[operation.key])

    def _subject(self, operation: Operation | None) -> Subject:
        ground = self._ground
        return Subject(
            api=self.plan.api,
            target=self.plan.target,
            policy=self.plan.policy,
            identities=tuple(ground.identities.values()),
            throwaway=ground.throwaway,
            builder=ground.builder,
            pools=ground.pools,
            nonce=self.plan.nonce,
            operation=operation,
            baseline=ground.baselines.get(operation.key) if operation else None,
            baselines=ground.baselines,
            canary=ground.canary,
            observed=tuple(self.courier.observed),
            login=self.plan.login,
            plain_target=self.plan.plain_target,
            expired_token=self.plan.expired_token,
            public_key=self.plan.public_key,
            loopback=self.plan.target.is_loopback,
            now_s=self.courier.now_s(),
            refusals=frozenset(ground.refusals),
            access=self._access.get(operation.key) if operation else None,
        )

    async def _new_user(self) -> Identity | str:
        return await ground_rules.new_throwaway(self.plan, self._ground, self.courier)

    async def _watch_identities(self, *, again: bool = True) -> None:
        """Asks every canary; what was judged since the last good one counts only if all are well.

        Who fell out of its session is logged in again, and what was judged meanwhile is judged
        once more; who falls out of it again leaves that inconclusive. Who cannot log in again ends
        the run.
        """
        if self.courier.requests == self._asked_at:
            return
        self.courier.place = "the identities"
        broken = await health.broken_identity(self._ground, self.courier)
        self._asked_at = self.courier.requests
        if broken is None:
            self._good, self._since_good = len(self._ledger.coverage), []
            return
        lost = await health.recovered(self.plan, self._ground, self.courier, broken)
        if lost is not None:
            self._void = (
                f"an identity stopped working during the scan: {broken.name} ({lost}); the check "
                f"that ran last was {self._last}"
            )
            self._ledger.withdraw_since(self._good, self._void)
            return
        doubtful, self._since_good = self._since_good, []
        self._ledger.withdraw_since(
            self._good,
            f"{broken} meanwhile: it had to log in again, and fell out of its session once more",
        )
        if not again:
            self._good = len(self._ledger.coverage)
            return
        del self._ledger.coverage[self._good :]
        for check, operation in doubtful:
            await self._judge(check, operation)
        await self._watch_identities(again=False)

    def _enter(self, check: Check, operation: Operation | None, outcome: Outcome) -> None:
        key = operation.key if operation is not None else None
        self._ledger.enter(check, key, outcome, self._mask(outcome), self.plan.target)

    def _mask(self, outcome: Outcome | None = None) -> Mask:
        """The mask for what is shown of an outcome, or for texts without sessions."""
        secrets = self.courier.secrets_in(texts_of(outcome) if outcome is not None else ())
        if secrets != self._masked:  # to make one takes longer than to use it
            self._masked, self._the_mask = secrets, Mask(secrets)
        return self._the_mask

    def _notes_on_access(self) -> tuple[str, ...]:
        approved = self.plan.policy.approved
        if approved is None or not self._access or self._undone:
            return ()  # of a scan that was cut off, what is missing says nothing
        return notes_on(self._access.values(), approved)

    def _report(self, phase: str, done: int, total: int, now: str = "") -> None:
        self._progress = ScanProgress(
            phase=phase,
            done=done,
            total=total,
            requests=self.courier.requests,
            findings=len(self._ledger.findings),
            now=now,
        )
        self._observer(self._progress)

    def _waits(self, seconds: float) -> None:
        self._observer(replace(self._progress, requests=self.courier.requests, waits_s=seconds))
