"""What trials measured, the verdicts that follow from it, and two of them as one. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from withstand.errors import UsageError
from withstand.sharding import Shard, joined, missing_from, shortfall
from withstand.slo.objective import Objective
from withstand.slo.several_trials import verdicts_of
from withstand.slo.trial import Trial, can_be_tried
from withstand.slo.trial_plan import tried_by
from withstand.slo.verdict import Verdict, inconclusive, nothing_ended
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram

_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialShare:
    """One operation's requests in one run, or in one shard of it.

    `durations` are service times, None where a request failed or got an unexpected status, without
    those of the warm-up, of which there were `warm_up`. `errors` says how often what went wrong.
    `spent_s` is how long all of its requests took.
    """

    durations: Durations
    warm_up: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    spent_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """What came of trying operations. Each has a share for every shard that tried it.

    `left_out` says why others were not tried. `ended` says what ended the trials before everything
    was decided or the budget was spent; `void` says why what was measured is not the API's doing.
    `shards` names the parts of divided trials that are in it, `whole` is the digest of all that
    they were to try; others have neither.
    """

    operations: Mapping[str, tuple[TrialShare, ...]]
    budget_s: float
    left_out: Mapping[str, str] = field(default_factory=dict)
    ended: str | None = None
    void: str | None = None
    shards: tuple[Shard, ...] = ()
    whole: str | None = None

    @property
    def not_tried(self) -> Mapping[str, str]:
        """Why operations were not tried anywhere."""
        return {key: why for key, why in self.left_out.items() if key not in self.operations}

    def service_times(self, operation: str) -> Histogram:
        """Of the requests of an operation that came to a good end, in nanoseconds."""
        shares = self.operations.get(operation, ())
        values = (value for share in shares for value in share.durations.values)
        return Histogram(value for value in values if value is not None)

    def requests(self, operation: str) -> int:
        """How many requests of an operation were judged."""
        return sum(len(share.durations.values) for share in self.operations.get(operation, ()))

    def spent_s(self, operation: str) -> float:
        """How long an operation's requests took, in all shards together."""
        return sum(share.spent_s for share in self.operations.get(operation, ()))


def judge_trials(objectives: Sequence[Objective], record: TrialRecord) -> Iterator[Verdict]:
    """One verdict for each objective that can be tried and each operation that was.

    The requests are handed to a trial as they were when they came, so it comes to the same. Those
    of several shards are independent, and judged together: see `withstand.stats.pooled`.
    """
    for operation, shares in record.operations.items():
        wanted = tried_by(objectives, operation)
        spent_s = record.spent_s(operation)
        for verdict in verdicts_of([_replayed(operation, wanted, share) for share in shares]):
            yield replace(verdict, spent_s=spent_s)
    if missing_from(record.shards):
        return  # the others may have tried what is left
    for objective in dict.fromkeys(objectives):
        tried = can_be_tried(objective) and not objective.whole_run
        if tried and not any(objective.covers(operation) for operation in record.operations):
            yield inconclusive(objective, objective.operation, _why_none(objective, record))


def merge_trials(first: TrialRecord, second: TrialRecord) -> TrialRecord:
    """The shares of both, side by side: exact, as nothing is summed. Raises UsageError for shards
    of different runs, and for one that is there twice.
    """
    shards = joined(first.shards, second.shards)
    if first.whole != second.whole:
        raise UsageError(
            f"shard {second.shards[0]} is no part of the check of shard {first.shards[0]}: they "
            "were to try other operations, or by other objectives",
            hint="run all shards with the same document and the same options",
        )
    keys = dict.fromkeys((*first.operations, *second.operations))
    return TrialRecord(
        operations={
            key: (*first.operations.get(key, ()), *second.operations.get(key, ())) for key in keys
        },
        budget_s=max(first.budget_s, second.budget_s),
        left_out={**second.left_out, **first.left_out},
        ended=first.ended or second.ended,
        void=first.void or second.void,
        shards=shards,
        whole=first.whole,
    )


def trials_shortfall(record: TrialRecord, told: Collection[Shard] = ()) -> str | None:
    """Which operations of merged shards were tried nowhere; None when all were but those of the
    shards of which more is `told`, and of one shard alone.
    """
    if len(record.shards) < 2:
        return None
    these = "its operations were not tried", "their operations were not tried"
    return shortfall(record.shards, *these, told=told)


def same_requests(records: Sequence[TrialRecord]) -> str | None:
    """The operation of which two records have the very same requests; None without one. Counted
    twice, they would make a verdict surer than it is.
    """
    seen: set[tuple[str, tuple[int | None, ...]]] = set()
    for record in records:
        for key, shares in record.operations.items():
            for share in shares:
                requests = (key, share.durations.values)
                if share.durations.values and requests in seen:
                    return key
                seen.add(requests)
    return None


def _replayed(operation: str, objectives: Sequence[Objective], share: TrialShare) -> Trial:
    trial = Trial(operation, objectives)
    for duration_ns in share.durations.values:
        trial.add(duration_ns or 0, failed=duration_ns is None)
    trial.close()
    return trial


def _why_none(objective: Objective, record: TrialRecord) -> str:
    if objective.operation in record.left_out:
        return nothing_ended(objective.operation, record.left_out)
    reasons = [f"{key}: {why}" for key, why in record.not_tried.items() if objective.covers(key)]
    if not reasons:
        return f"nothing was tried that {objective.operation} covers"
    more = len(reasons) - _REASONS_SHOWN
    shown = "; ".join(reasons[:_REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return f"nothing could be tried that {objective.operation} covers: {shown}"
