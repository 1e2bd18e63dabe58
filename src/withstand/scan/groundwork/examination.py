"""What a scan has to work with, and what would give it more. Pure."""

from dataclasses import dataclass

from withstand.client.masking import Mask
from withstand.openapi.operation import Operation
from withstand.scan.groundwork.advice import advice
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.trace import tried
from withstand.scan.plan import ScanPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One operation: by whom a request succeeded; else what was tried and what to do."""

    key: str
    line: int | None
    works: bool
    by: str = ""
    status: int | None = None
    reason: str = ""
    tries: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    is_forbidden: bool = False  # the user said never


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """For how many operations (1 for a check of the whole API) a check could run, and what the
    others lack.
    """

    check: str
    able: int
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything that `withstand doctor` shows. No secret is in it."""

    target: str
    document: str
    operations: tuple[Examined, ...]
    identities: tuple[tuple[str, str, bool], ...]  # name, role, whether the canary tells on it
    canary: str | None
    throwaway: str | None  # why there is none; None when there is one
    readiness: tuple[Readiness, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    requests: int
    cut_short: str | None = None

    @property
    def lacking(self) -> tuple[Examined, ...]:
        """The operations without a request that succeeds, but for those that the user forbids."""
        return tuple(op for op in self.operations if not op.works and not op.is_forbidden)


def examined(
    plan: ScanPlan,
    ground: Groundwork,
    readiness: tuple[Readiness, ...],
    mask: Mask,
    requests: int,
    cut_short: str | None,
) -> Examination:
    """The groundwork of a scan as somebody can read it."""
    no_user = "no [login] and [identities] are configured" if not plan.identities else None
    for note in ground.notes:
        if note.startswith("No throw-away user"):
            no_user = note
    return Examination(
        target=plan.target.base_url,
        document=plan.api.source,
        operations=tuple(_operation(plan, ground, op, mask) for op in plan.api.operations),
        identities=tuple(
            (name, identity.role, name in ground.canaries)
            for name, identity in ground.identities.items()
        ),
        canary=ground.canary.operation.key if ground.canary is not None else None,
        throwaway=None if ground.throwaway is not None else mask.text(no_user or "none was needed"),
        readiness=readiness,
        notes=tuple(
            mask.text(note)
            for note in dict.fromkeys(ground.notes)
            if " was not tested: " not in note and not note.startswith("No throw-away user")
        ),
        problems=plan.api.problems,
        requests=requests,
        cut_short=cut_short,
    )


def _operation(plan: ScanPlan, ground: Groundwork, operation: Operation, mask: Mask) -> Examined:
    baseline = ground.baselines.get(operation.key)
    if baseline is not None:
        return Examined(
            key=operation.key,
            line=operation.line,
            works=True,
            by=baseline.identity or "anonymous",
            status=baseline.exchange.status,
        )
    attempts = ground.attempts.get(operation.key, [])
    reason = ground.missing.get(operation.key, "no valid baseline: not reached")
    return Examined(
        key=operation.key,
        line=operation.line,
        works=False,
        reason=mask.text(reason.removeprefix("no valid baseline: ")),
        tries=tuple(mask.text(line) for line in tried(attempts)),
        advice=tuple(
            mask.text(line)
            for line in advice(plan, operation, attempts, ground.builder.slots(operation))
        ),
        is_forbidden=plan.policy.forbids(operation) is not None,
    )
