"""Whether a version is slower than another, operation by operation. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from withstand.load.comparison import Arm, Block, ComparisonMeasurement, Restart
from withstand.stats.regression import (
    LEAST_UNITS,
    MARGIN,
    MARGIN_WITHOUT_RESTARTS,
    Change,
    Regression,
    alpha_of,
    judgeable,
    log_ratio,
    more_errors,
    quantile,
    slowdown,
)

QUANTILES: Final = (0.5, 0.95, 0.99)
ERRORS: Final = "errors"
# A block in which fewer requests succeeded says nothing about the latency.
_LEAST_SUCCEEDED: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One indicator of one operation: a quantile, whose values are in nanoseconds, or the share of
    errors. `found` is None where too little was measured to compare; values where there was none.
    """

    operation: str
    indicator: str  # p50, p95, p99 or errors
    a: float | None
    b: float | None
    requests: int  # of each version
    found: Regression | None

    @property
    def state(self) -> Change:
        """What is known about a change for the worse."""
        return Change.UNDECIDED if self.found is None else self.found.state


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonVerdict:
    """Every difference, and what they come to. `tests` of them shared the probability of a false
    alarm; `margin` is a share."""

    differences: tuple[Difference, ...]
    margin: float
    tests: int
    strict: bool = False

    @property
    def state(self) -> Change:
        """Worse when anything is, no worse when everything is known not to be."""
        states = {each.state for each in self.differences}
        if Change.WORSE in states:
            return Change.WORSE
        return Change.NO_WORSE if states == {Change.NO_WORSE} else Change.UNDECIDED

    def worse(self) -> tuple[Difference, ...]:
        """What became worse for sure."""
        return tuple(each for each in self.differences if each.state is Change.WORSE)

    def exit_code(self) -> int:
        """1 when something became worse, else 0; with `strict` 3 when that could not be told."""
        if self.state is Change.WORSE:
            return 1
        return 3 if self.strict and self.state is Change.UNDECIDED else 0


def default_margin(*, restarted: bool) -> float:
    """How much slower is not yet called slower, as a share."""
    return MARGIN if restarted else MARGIN_WITHOUT_RESTARTS


def judge_comparison(
    measured: ComparisonMeasurement, *, margin: float | None = None, strict: bool = False
) -> ComparisonVerdict:
    """The verdict on every operation. `margin` None stands for `default_margin`.

    All quantiles of all operations share one probability of a false alarm, and so do the error
    shares of operations of which either version failed a request: where none failed there is
    nothing that could raise an alarm (Tarone, Biometrics 46, 1990).
    """
    margin = default_margin(restarted=measured.restarted) if margin is None else margin
    quantiles = [q for q in QUANTILES if judgeable(q, measured.requests)]
    failing = sum(_fails(restarts) for restarts in measured.operations.values())
    tests = len(quantiles) * len(measured.operations) + failing
    alpha = alpha_of(tests)
    differences: list[Difference] = []
    for operation, restarts in measured.operations.items():
        units = restarts if measured.restarted else tuple((block,) for block in _all(restarts))
        differences += [_latency(operation, units, q, margin, alpha) for q in quantiles]
        differences.append(_errors(operation, units, alpha))
    return ComparisonVerdict(
        differences=tuple(differences), margin=margin, tests=tests, strict=strict
    )


def _latency(
    operation: str, units: Sequence[Restart], q: float, margin: float, alpha: float
) -> Difference:
    ratios = _means(units, lambda block: log_ratio(block.a.times_ns, block.b.times_ns, q))
    times_a, times_b = _times(units, lambda block: block.a), _times(units, lambda block: block.b)
    return Difference(
        operation=operation,
        indicator=f"p{100 * q:g}",
        a=quantile(times_a, q) if times_a else None,
        b=quantile(times_b, q) if times_b else None,
        requests=sum(block.a.requests for block in _all(units)),
        found=slowdown(ratios, margin=margin, alpha=alpha) if len(ratios) >= LEAST_UNITS else None,
    )


def _means(units: Sequence[Restart], value: Callable[[Block], float]) -> list[float]:
    """The mean of each unit over its blocks in which enough requests succeeded."""
    judged = ([value(block) for block in unit if _enough(block)] for unit in units)
    return [fmean(values) for values in judged if values]


def _enough(block: Block) -> bool:
    return all(
        arm.times_ns and len(arm.times_ns) >= _LEAST_SUCCEEDED * arm.requests
        for arm in (block.a, block.b)
    )


def _errors(operation: str, units: Sequence[Restart], alpha: float) -> Difference:
    shares_a = [_error_share(unit, lambda block: block.a) for unit in units]
    shares_b = [_error_share(unit, lambda block: block.b) for unit in units]
    blocks = _all(units)
    requests = sum(block.b.requests for block in blocks)
    found = None
    if len(units) >= LEAST_UNITS:
        found = more_errors(
            [b - a for a, b in zip(shares_a, shares_b, strict=True)],
            requests_b=requests,
            errors_b=sum(block.b.errors for block in blocks),
            alpha=alpha,
        )
    return Difference(
        operation=operation,
        indicator=ERRORS,
        a=fmean(shares_a) if shares_a else None,
        b=fmean(shares_b) if shares_b else None,
        requests=requests,
        found=found,
    )


def _error_share(unit: Restart, arm: Callable[[Block], Arm]) -> float:
    arms = [arm(block) for block in unit]
    return sum(each.errors for each in arms) / sum(each.requests for each in arms)


def _times(units: Sequence[Restart], arm: Callable[[Block], Arm]) -> list[int]:
    return [time_ns for block in _all(units) for time_ns in arm(block).times_ns]


def _all(restarts: Sequence[Restart]) -> tuple[Block, ...]:
    return tuple(block for restart in restarts for block in restart)


def _fails(restarts: Sequence[Restart]) -> bool:
    return any(block.a.errors or block.b.errors for block in _all(restarts))
