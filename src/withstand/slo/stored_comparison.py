"""How two stored runs differ: figures and never a verdict. Pure."""

from dataclasses import dataclass

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.slo.comparison import ERRORS
from withstand.stats.histogram import Histogram
from withstand.stats.regression import StoredChange, judgeable, stored_change


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDifference:
    """One indicator of one operation: a quantile in nanoseconds, or the share of errors, which has
    no `found`; nor has a quantile that one of the runs is too short for."""

    operation: str
    indicator: str
    a: float | None
    b: float | None
    found: StoredChange | None


def stored_differences(
    a: LoadMeasurement, b: LoadMeasurement, quantiles: tuple[float, ...]
) -> tuple[StoredDifference, ...]:
    """Of the response times and errors of every operation that both runs have, in A's order."""
    return tuple(
        difference
        for operation, of_a in a.operations.items()
        if (of_b := b.operations.get(operation)) is not None
        for difference in (
            *(_latency(operation, of_a, of_b, q) for q in quantiles),
            _errors(operation, of_a, of_b),
        )
    )


def _latency(
    operation: str, a: OperationMeasurement, b: OperationMeasurement, q: float
) -> StoredDifference:
    enough = all(judgeable(q, each.response_time.count) for each in (a, b))
    return StoredDifference(
        operation=operation,
        indicator=f"p{100 * q:g}",
        a=_value(a.response_time, q),
        b=_value(b.response_time, q),
        found=stored_change(a.response_time, b.response_time, q) if enough else None,
    )


def _errors(operation: str, a: OperationMeasurement, b: OperationMeasurement) -> StoredDifference:
    share_a, share_b = (each.errors / each.requests if each.requests else None for each in (a, b))
    return StoredDifference(operation=operation, indicator=ERRORS, a=share_a, b=share_b, found=None)


def _value(histogram: Histogram, q: float) -> float | None:
    return histogram.quantile(q) if judgeable(q, histogram.count) else None
