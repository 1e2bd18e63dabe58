"""What a scan under way has come to: its record, and what the reader must not miss. Pure."""

from dataclasses import dataclass
from typing import Final

from withstand.scan.access_matrix import notes_on
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Profile
from withstand.scan.records.record import ScanRecord
from withstand.scan.run.outcomes import Outcomes

_MORE: Final = "Give it more requests or time (budget under [security]), or divide it with --shard."


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why a scan ended before everything was tested; `interrupted`: somebody asked for it."""

    reason: str
    interrupted: bool = False

    @property
    def note(self) -> str:
        """That, and what would bring the scan to its end."""
        said = f"The scan ended early: {self.reason}."
        return said if self.interrupted else f"{said} {_MORE}"


def recorded(
    plan: ScanPlan,
    ground: Groundwork,
    outcomes: Outcomes,
    end: End | None,
    *,
    tried: bool,
    whole: str | None,
) -> ScanRecord:
    """What is known by now. `tried` says whether an operation was called that may be expected to
    succeed, `whole` is the digest of all tests of a divided scan.
    """
    interrupted = end is not None and end.interrupted
    if (
        outcomes.void is None
        and tried
        and not interrupted
        and _says_nothing(plan, ground, outcomes)
    ):
        first = next(iter(ground.missing.items()), ("", ""))
        lacks = plan.lacks
        below = f" (the document says that the API stands below {lacks})" if lacks else ""
        outcomes.void = (
            "No operation answered a request of the scan with success, so nothing of the API "
            f"was tested ({first[0]}: {first[1]}): check base_url{below} and the identities"
        )
    if outcomes.void is not None:
        outcomes.skip_undone(outcomes.void)
    notes = (*((end.note,) if end is not None else ()), *ground.notes)
    return ScanRecord(
        findings=outcomes.ledger.ordered(),
        coverage=tuple(outcomes.ledger.coverage),
        operations=tuple(operation.key for operation in plan.api.operations),
        identities=tuple((i.name, i.role) for i in plan.identities),
        requests=outcomes.courier.requests,
        duration_s=outcomes.courier.elapsed_s,
        notes=tuple(dict.fromkeys((*notes, *_notes_on_access(plan, outcomes)))),
        facts=tuple(ground.facts),
        void=outcomes.void,
        interrupted=interrupted,
        cut_short=end.reason if end is not None and not interrupted else None,
        access=tuple(
            outcomes.access[operation.key]
            for operation in plan.api.operations
            if operation.key in outcomes.access
        ),
        shards=() if plan.shard is None else (plan.shard,),
        whole=whole,
    )


def _says_nothing(plan: ScanPlan, ground: Groundwork, outcomes: Outcomes) -> bool:
    """Whether everything that was called refused or failed, also those who may call it."""
    known = {200, 201, 401, 403}  # somebody is there, and wants to know who asks
    observed = outcomes.courier.logbook.observed
    alive = not plan.identities and any(each.status in known for each in observed)
    return (
        plan.policy.profile is not Profile.READONLY  # which has only what is there
        and not ground.baselines
        and not outcomes.ledger.findings
        and not alive
    )


def _notes_on_access(plan: ScanPlan, outcomes: Outcomes) -> tuple[str, ...]:
    approved = plan.policy.approved
    if approved is None or not outcomes.access or outcomes.void is not None:
        return ()
    return notes_on(outcomes.access.values(), approved, {each.key for each in plan.api.operations})
