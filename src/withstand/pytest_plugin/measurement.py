"""What was measured of one call that was repeated, and how it is told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isinf

from withstand.slo.objective import Indicator, Unit, format_value
from withstand.slo.verdict import Verdict, VerdictState
from withstand.units import format_count, format_duration_ns

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
_SHOWN = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The calls of one test, or of one `latency`, and the verdicts on them.

    `elapsed_ns` has one value for each call after the warm-up, sorted, infinite for a failed one.
    `seconds` is the time from the first call to the last, warm-up and pauses included.
    `last_failure` is one line about the last call that failed; None where none did.
    """

    verdicts: tuple[Verdict, ...]
    elapsed_ns: Sequence[float]
    seconds: float
    last_failure: str | None

    @property
    def verdict(self) -> VerdictState:
        """Of all objectives together."""
        states = [verdict.state for verdict in self.verdicts]
        for state in (VerdictState.BREACHED, VerdictState.INCONCLUSIVE):
            if state in states:
                return state
        return VerdictState.MET

    @property
    def calls(self) -> int:
        """How many calls were measured, after the warm-up."""
        return len(self.elapsed_ns)

    def quantile_ms(self, q: float) -> float | None:
        """The value at rank ceil(q n), in milliseconds; None without calls, or if it failed."""
        if not self.elapsed_ns:
            return None
        value_ns = self.elapsed_ns[max(ceil(q * self.calls) - 1, 0)]
        return None if isinf(value_ns) else value_ns / _NS_PER_MS

    @property
    def quantiles_ms(self) -> dict[str, float | None]:
        """p50, p90, p95, p99 and those that have an objective, by name; see `quantile_ms`."""
        shown = {f"p{q * 100:g}": q for q in _SHOWN}
        for verdict in self.verdicts:
            if verdict.objective.quantile is not None:
                shown[verdict.objective.name] = verdict.objective.quantile
        return {name: self.quantile_ms(q) for name, q in shown.items()}

    @property
    def intervals_ms(self) -> dict[str, tuple[float | None, float | None]]:
        """Where each quantile with an objective surely lies, by name; None is an open end."""
        return {
            verdict.objective.name: _in_ms(verdict)
            for verdict in self.verdicts
            if verdict.objective.indicator is Indicator.QUANTILE
        }

    def sentences(self) -> list[str]:
        """One for each verdict: `p95<200ms: p95 in 171-196 ms; … (340 calls in 4.10 s)`."""
        calls = "1 call" if self.calls == 1 else f"{format_count(self.calls)} calls"
        spent = f"({calls} in {format_duration_ns(self.seconds * _NS_PER_S)})"
        return [
            f"{verdict.objective.text}: {interval_text(verdict)}; {verdict.reason} {spent}"
            for verdict in self.verdicts
        ]

    def lines(self) -> list[str]:
        """The sentences, each after its verdict."""
        return [
            f"{verdict.state}: {sentence}"
            for verdict, sentence in zip(self.verdicts, self.sentences(), strict=True)
        ]

    def explanation(self) -> str:
        """Why it is not met: the objectives that decide, and the last failure of a call."""
        lines = [line for line in self.lines() if line.startswith(f"{self.verdict}:")]
        if self.verdict is VerdictState.BREACHED and self.last_failure is not None:
            lines.append(f"the last failure: {self.last_failure}")
        return "\n".join(lines)

    def properties(self, prefix: str) -> list[tuple[str, object]]:
        """What a JUnit file says of it, in flat names after the prefix."""
        found: list[tuple[str, object]] = [
            ("verdict", self.verdict.value),
            ("calls", self.calls),
            ("seconds", round(self.seconds, 3)),
        ]
        for verdict in self.verdicts:
            if verdict.objective.indicator is Indicator.ERRORS:
                low, high = verdict.interval or (None, None)
                values = [("error_rate", verdict.observed), ("error_rate_low", low),
                          ("error_rate_high", high)]  # fmt: skip
            else:
                name = verdict.objective.name
                low, high = _in_ms(verdict)
                observed = None if verdict.observed is None else verdict.observed / _NS_PER_MS
                values = [(f"{name}_ms", observed), (f"{name}_low_ms", low),
                          (f"{name}_high_ms", high)]  # fmt: skip
            found += [(name, float(f"{value:.6g}")) for name, value in values if value is not None]
        return [(prefix + name, value) for name, value in found]


def interval_text(verdict: Verdict) -> str:
    """Where the value surely lies: `p95 in 171-196 ms`, `errors at most 0.9 %`."""
    name = verdict.objective.name
    low, high = verdict.interval or (None, None)
    if verdict.unit is Unit.SHARE and verdict.interval is None and verdict.observed is not None:
        return f"{name} {format_value(verdict.observed, verdict.unit)}"
    above = None if not low else format_value(low, verdict.unit)
    below = None if high is None else format_value(high, verdict.unit)
    if above is not None and below is not None:
        return f"{name} {_between(above, below)}"
    if above is not None:
        return f"{name} at least {above}"
    if below is not None:
        return f"{name} at most {below}"
    failed = verdict.samples and verdict.observed is None
    return f"{name} is a failed call" if failed else f"{name} unknown"


def _between(low: str, high: str) -> str:
    if low == high:
        return f"at {high}"
    number, _, unit = low.partition(" ")
    return f"in {number}-{high}" if high.endswith(f" {unit}") else f"in {low} to {high}"


def _in_ms(verdict: Verdict) -> tuple[float | None, float | None]:
    low, high = verdict.interval or (None, None)
    return (
        None if low is None else low / _NS_PER_MS,
        None if high is None else high / _NS_PER_MS,
    )
