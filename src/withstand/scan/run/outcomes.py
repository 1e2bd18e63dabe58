"""What the checks of one scan come to: outcomes count while everybody is who they were (V0)."""

from collections.abc import Container, Iterable
from dataclasses import replace

from withstand.client.masking import Mask
from withstand.openapi.operation import Operation
from withstand.scan.access.role_access import observe, unobserved
from withstand.scan.access_matrix import AccessRow
from withstand.scan.check import (
    Check,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Safety,
    Skipped,
)
from withstand.scan.groundwork import health, identities
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.surroundings import subject_of
from withstand.scan.plan import ScanPlan
from withstand.scan.records.reporting import Ledger, texts_of
from withstand.scan.run.agenda import Agenda, Item
from withstand.scan.run.bounds import out_of_bounds
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Courier, NoiseStays, Withheld
from withstand.scan.wire.driver import Errand, carried, judge


class Outcomes:
    """What was judged, and whether it still counts.

    `undone` is what remains to be judged; `void` says why nothing counts any more.
    """

    def __init__(self, plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
        self.plan, self.ground, self.courier = plan, ground, courier
        self.ledger = Ledger()
        self.undone = Agenda()
        self.access: dict[str, AccessRow] = {}
        self.void: str | None = None
        self.last = "no check"  # the check that ran last
        self._good = 0  # coverage rows at the last moment when every identity was healthy
        self._since_good: list[Item] = []
        self._masked: dict[str, str] = {}
        self._the_mask = Mask({})
        self._asked_at = 0  # requests sent when the identities were last asked

    def begin(self, items: Iterable[Item]) -> None:
        """Nothing is judged yet, and these are to be."""
        self.ledger, self.undone = Ledger(), Agenda(items)
        self._good, self._since_good = 0, []

    async def judge(self, check: Check, operation: Operation | None) -> None:
        """Judges one check where it may run."""
        if check.reads_access and operation is not None:
            await self._observe_access(operation)
        outcome = out_of_bounds(self.plan, self.ground, check, operation)
        if outcome is None:
            self.courier.place = operation.key if operation is not None else check.name
            self.last = check.name + (f" on {operation.key}" if operation is not None else "")
            outcome = await self._judged(check, operation)
        self._close(check, operation, outcome)

    async def begun(self, check: Check) -> Errand | None:
        """Judges a check of the whole API; what remains of it where it only reads and rests."""
        if (
            check.safety is not Safety.READ_ONLY
            or out_of_bounds(self.plan, self.ground, check, None) is not None
        ):
            await self.judge(check, None)
            return None
        errand = Errand(check, self.subject(None), self.courier)
        self.courier.place = self.last = check.name
        outcome = await errand.until_it_rests()
        if outcome is None:
            return errand
        self._close(check, None, outcome)
        return None

    async def finish(self, errand: Errand) -> None:
        """Judges a check that rested, when its pauses are over."""
        outcome: Outcome | None = None
        while outcome is None:
            await self.courier.pause(max(0.0, errand.wakes_s - self.courier.now_s()))
            self.courier.place = self.last = errand.check.name
            outcome = await errand.until_it_rests()
        self._close(errand.check, None, outcome)

    def skip_undone(self, reason: str, among: Container[Operation | None] | None = None) -> None:
        """Enters all that remains, or what remains among these operations, as skipped."""
        for check, operation in self.undone:
            if among is None or operation in among:
                self._enter(check, operation, Skipped(reason=reason))
                self.undone.remove((check, operation))

    async def watch_identities(self, *, again: bool = True) -> None:
        """Asks every canary; what was judged since the last good one counts only if all are well.

        Who fell out of its session is logged in again, and what was judged meanwhile is judged
        once more; who falls out of it again leaves that inconclusive. Who cannot log in again ends
        the run.
        """
        if self.courier.requests == self._asked_at:
            return
        self.courier.place = f"the identities after {self.last}"
        broken = await health.broken_identity(self.ground, self.courier)
        self._asked_at = self.courier.requests
        if broken is None:
            self._good, self._since_good = len(self.ledger.coverage), []
            return
        lost = await self._lost(broken)
        if lost is not None:
            self.void = f"{lost}; the check that ran last was {self.last}"
            self.ledger.withdraw_since(self._good, self.void)
            return
        doubtful, self._since_good = self._since_good, []
        self.ledger.withdraw_since(
            self._good,
            f"{broken} meanwhile: it had to log in again, and fell out of its session once more",
        )
        if not again:
            self._good = len(self.ledger.coverage)
            return
        del self.ledger.coverage[self._good :]
        for check, operation in doubtful:
            await self.judge(check, operation)
        await self.watch_identities(again=False)

    async def _lost(self, broken: health.Broken) -> str | None:
        """Why nothing counts any more; None where the identity that broke has recovered."""
        hung = self.courier.waiting.silent_since
        if hung is not None:
            return f"the target has answered nothing since {hung.method} {hung.operation_path} hung"
        lost = await health.recovered(self.plan, self.ground, self.courier, broken)
        if lost is None:
            return None
        return f"an identity stopped working during the scan: {broken.name} ({lost})"

    def subject(self, operation: Operation | None) -> Subject:
        """What a check is shown of an operation, or of the whole API."""
        shown = subject_of(self.plan, self.ground, self.courier, operation)
        return replace(shown, access=self.access.get(operation.key) if operation else None)

    def mask(self, outcome: Outcome | None = None) -> Mask:
        """The mask for what is shown of an outcome, or for texts without sessions."""
        secrets = self.courier.secrets_in(texts_of(outcome) if outcome is not None else ())
        if secrets != self._masked:  # to make one takes longer than to use it
            self._masked, self._the_mask = secrets, Mask(secrets)
        return self._the_mask

    async def _judged(self, check: Check, operation: Operation | None) -> Outcome:
        """The outcome; without a baseline a failure may be proved beside a refusal, but no pass."""
        subject = self.subject(operation)
        if operation is None or subject.baseline is not None or not check.needs_baseline:
            return await judge(check, subject, self.courier)
        subject = replace(subject, baseline=self.ground.refused[operation.key])
        outcome = await judge(check, subject, self.courier)
        if isinstance(outcome, Failed | FailedMany | Skipped):
            return outcome
        return Inconclusive(reason=self.ground.missing[operation.key])

    async def _observe_access(self, operation: Operation) -> None:
        """The operation's row of the access matrix, which the check that reads it is shown."""
        subject = self.subject(operation)
        if subject.baseline is None:
            row = unobserved(subject, self.ground.missing.get(operation.key, "no baseline"))
        else:
            try:
                row = (await carried(observe(subject), subject, self.courier)).row
            except NoiseStays as noise:
                row = unobserved(subject, f"the target gave no usable answer: {noise}")
            except Withheld as withheld:
                row = unobserved(subject, withheld.reason)
        self.access[operation.key] = row

    def _close(self, check: Check, operation: Operation | None, outcome: Outcome) -> None:
        identities.go_on_with(self.ground, self.courier)
        self.undone.remove((check, operation))
        self._since_good.append((check, operation))
        self._enter(check, operation, outcome)

    def _enter(self, check: Check, operation: Operation | None, outcome: Outcome) -> None:
        found = isinstance(outcome, Failed | FailedMany)
        if not found and not self.plan.wants(check, operation):
            return  # another shard answers for it
        key = operation.key if operation is not None else None
        self.ledger.enter(check, key, outcome, self.mask(outcome), self.plan.target)
