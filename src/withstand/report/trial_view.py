"""What reports show of trials, worked out: rows and sentences. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from withstand.results import Results
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.histogram import quantile_rank
from withstand.units import format_count, format_duration_ns

CLOSED_LOOP: Final = (
    "Times are service times of a closed loop: one request at a time, each sent after the answer "
    "to the one before. What load does to them, withstand load tells."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One operation: `errors` says what went wrong, empty where nothing did. `quantiles` are those
    that were asked for, None among the failures.
    """

    operation: str
    requests: int
    failed: int
    errors: str
    quantiles: tuple[float | None, ...]
    spent_s: float


def trial_rows(record: TrialRecord, quantiles: tuple[float, ...]) -> list[TrialRow]:
    """One row for each operation that was tried."""
    return [_row(name, shares, quantiles) for name, shares in record.operations.items()]


def trial_sentences(results: Results) -> Iterator[str]:
    """What has to be known beside the verdicts: what was not tried, and what would decide."""
    record = results.trials
    if record is None:
        return
    if record.ended is not None:
        yield f"the trials ended early: {record.ended}"
    for objective in results.left_to_load():
        yield f"{objective.text} on {objective.operation} needs withstand load"
    spent = [
        name
        for name, shares in record.operations.items()
        if any(share.spent_s >= record.budget_s for share in shares)
    ]
    undecided = {verdict.operation for verdict in results.inconclusive()}
    if short := [name for name in spent if name in undecided]:
        budget = format_duration_ns(record.budget_s * 1e9)
        yield f"the budget of {budget} was spent on {', '.join(short)}: --budget makes it longer"
    by_reason: dict[str, list[str]] = {}
    for name, why in record.not_tried.items():
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        yield f"not tried ({why}): {', '.join(names)}"


def _row(name: str, shares: tuple[TrialShare, ...], quantiles: tuple[float, ...]) -> TrialRow:
    values = [value for share in shares for value in share.durations.values]
    errors: Counter[str] = Counter()
    for share in shares:
        errors.update(share.errors)
    # A failure is slower than every limit.
    ordered = sorted(value for value in values if value is not None)
    return TrialRow(
        operation=name,
        requests=len(values),
        failed=len(values) - len(ordered),
        errors=", ".join(f"{format_count(count)} {kind}" for kind, count in sorted(errors.items())),
        quantiles=tuple(_at(ordered, quantile_rank(q, len(values))) for q in quantiles)
        if values
        else (None,) * len(quantiles),
        spent_s=sum(share.spent_s for share in shares),
    )


def _at(ordered: list[int], rank: int) -> float | None:
    return ordered[rank - 1] if rank <= len(ordered) else None
