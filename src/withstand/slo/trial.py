"""One operation's requests, one after the other, until its objectives are decided. Pure.

The sequential kind of verdict: there is no load, each request waits for the answer to the one
before, and no more are sent than the verdict needs. See `withstand.stats.sequential`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf
from typing import Final

from withstand.errors import UsageError
from withstand.slo.objective import Indicator, Objective, format_value
from withstand.slo.verdict import Verdict, VerdictState, inconclusive
from withstand.stats.e_value import fewest_to_meet
from withstand.stats.quantile_interval import quantile_interval, share_interval
from withstand.stats.sequential import Decision, QuantileSample, QuantileTest
from withstand.units import format_count, format_share

# Where a sample that hugs its limit is given up; 100 exceedances are expected at p95.
_LEAST_MOST: Final = 1_000
_MOST_EXCEEDING: Final = 100
_GREATEST_MOST: Final = 20_000
# Of an operation that is only promised to make no errors: as many as any other is first looked at.
_FEWEST: Final = 40
_FAILURE: Final = 0.5  # between a request that went well and one that failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    objective: Objective
    q: float
    of_failures: bool
    test: QuantileTest
    noun: str


class Trial:
    """Takes the requests of one operation as they come; knows when enough is known.

    `objectives` are on a quantile of the response time or on the share of errors. Raises UsageError
    for others, which only a load can be judged by. `noun` is what the reasons call one request:
    a test of pytest repeats a `call`, which may be several requests.

    `at_pause` says that a breach is about to be reproduced or not: the right moment for a pause.
    """

    def __init__(
        self, operation: str, objectives: Sequence[Objective], *, noun: str = "request"
    ) -> None:
        self.operation = operation
        self._noun = noun
        self._gates = [_gate(each, noun) for each in objectives if not _allows_none(each)]
        self._undecided = self._gates
        self._without_errors = [each for each in objectives if _allows_none(each)]
        self._breached = False
        self.at_pause = False
        self.requests = self.failed = 0

    @property
    def done(self) -> bool:
        """Whether every objective is decided, or one is breached."""
        return self._breached or (self.requests > 0 and not self._undecided)

    def add(self, elapsed_ns: float, *, failed: bool = False) -> None:
        """Takes one request. A failed one is slower than every limit."""
        self.requests += 1
        if failed:
            self.failed += 1
            self._breached = self._breached or bool(self._without_errors)
        value = inf if failed else elapsed_ns
        decided = at_pause = False
        for gate in self._undecided:
            test = gate.test
            decision = test.add(failed if gate.of_failures else value)
            if decision is not None:
                decided = True
                self._breached = self._breached or decision is Decision.BREACHED
            at_pause = at_pause or test.at_pause
        self.at_pause = at_pause
        if decided:
            self._undecided = [gate for gate in self._gates if gate.test.decision is None]

    def close(self) -> None:
        """No more requests will come: what is undecided is decided by those there are."""
        for gate in self._gates:
            gate.test.close()

    @property
    def all_decided(self) -> bool:
        """Whether every objective is decided: a breach of one says nothing about the others."""
        if self._gates:
            return all(gate.test.decision is not None for gate in self._gates)
        return self.failed > 0 or self.requests >= _FEWEST

    def samples(self) -> "tuple[tuple[QuantileSample, ...], ...]":
        """For each objective with a share that may fail or be slower: its samples."""
        return tuple(tuple(gate.test.samples) for gate in self._gates)

    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each objective, by what came so far."""
        return (
            *(_verdict(gate, self.operation) for gate in self._gates),
            *(self._on_any_error(objective) for objective in self._without_errors),
        )

    def _on_any_error(self, objective: Objective) -> Verdict:
        """A promise about these very requests, which were all seen: no statistics."""
        if not self.requests:
            return inconclusive(objective, self.operation, f"no {self._noun} was measured")
        failed, requests = format_count(self.failed), format_count(self.requests)
        return Verdict(
            objective=objective,
            operation=self.operation,
            state=VerdictState.BREACHED if self.failed else VerdictState.MET,
            observed=self.failed / self.requests,
            unit=objective.unit,
            interval=None,
            samples=self.requests,
            reason=f"{failed} of {requests} {self._noun}s failed; none may",
        )


def can_be_tried(objective: Objective) -> bool:
    """Whether requests sent one after the other can be judged by an objective."""
    return objective.over_s is None and objective.indicator in (
        Indicator.QUANTILE,
        Indicator.ERRORS,
    )


def _allows_none(objective: Objective) -> bool:
    return objective.indicator is Indicator.ERRORS and objective.limit == 0


def _gate(objective: Objective, noun: str) -> _Gate:
    if not can_be_tried(objective):
        raise UsageError(
            f"{objective.text} cannot be judged by requests that are sent one after the other",
            hint="judge it with withstand load; here it takes a quantile or a share of errors",
        )
    of_failures = objective.indicator is Indicator.ERRORS
    q = 1 - objective.limit if of_failures else objective.quantile or 0.0
    most = min(max(_LEAST_MOST, round(_MOST_EXCEEDING / (1 - q))), _GREATEST_MOST)
    limit = _FAILURE if of_failures else objective.limit
    test = QuantileTest(limit=limit, q=q, most=most)
    return _Gate(objective=objective, q=q, of_failures=of_failures, test=test, noun=noun)


def _verdict(gate: _Gate, operation: str) -> Verdict:
    objective, test = gate.objective, gate.test
    samples = [sample for sample in test.samples if sample.count]
    decision = test.decision or Decision.INCONCLUSIVE
    return Verdict(
        objective=objective,
        operation=operation,
        state=VerdictState(decision.value),
        observed=_observed(gate, samples[0]) if samples else None,
        unit=objective.unit,
        interval=_interval(gate, samples[0]) if samples else None,
        samples=sum(sample.count for sample in samples),
        reason=_reason(gate, samples, decision),
    )


def _observed(gate: _Gate, sample: QuantileSample) -> float | None:
    if gate.of_failures:
        return sample.exceeding / sample.count
    return _finite(sample.quantile(gate.q))


def _interval(gate: _Gate, sample: QuantileSample) -> tuple[float | None, float | None]:
    effect = sample.design_effect
    if gate.of_failures:
        return share_interval(sample.count, sample.exceeding, design_effect=effect)
    low, high = quantile_interval(sample.values, gate.q, design_effect=effect)
    return _finite(low), _finite(high)


def _finite(value: float | None) -> float | None:
    return None if value is None or isinf(value) else value


def _reason(gate: _Gate, samples: Sequence[QuantileSample], decision: Decision) -> str:
    objective = gate.objective
    if not samples:
        fewest = format_count(fewest_to_meet(gate.q))
        return f"no {gate.noun} was measured, and it takes at least {fewest} to meet it"
    if gate.of_failures:
        slow = "failed"
    else:
        slow = f"failed or took longer than {format_value(objective.limit, objective.unit)}"
    counts = ", and then ".join(
        f"{format_count(sample.exceeding)} of {format_count(sample.count)}" for sample in samples
    )
    what = f"{counts} {gate.noun}s {slow}; {format_share(1 - gate.q)} may"
    return f"{what}: {_missing(gate, samples)}" if decision is Decision.INCONCLUSIVE else what


def _missing(gate: _Gate, samples: Sequence[QuantileSample]) -> str:
    """What would decide."""
    sample = samples[-1]
    if len(samples) > 1:
        seen_again = sample.exceeding > sample.count * sample.tail
        if not seen_again or sample.count >= sample.most:
            return f"the breach was not seen again; look at what the first {gate.noun}s met"
    fewest = fewest_to_meet(gate.q)
    if sample.count < fewest and not sample.exceeding:
        return f"it takes at least {format_count(fewest)} {gate.noun}s to meet it"
    needed = sample.size_to_decide()
    if needed is None:
        return f"too close to the limit for more {gate.noun}s to tell"
    more = float(f"{max(needed - sample.count, 10):.1e}")
    return f"too close to tell, which needs about {format_count(more)} more {gate.noun}s"
