"""The objectives of one test while its calls are measured. Pure."""

from dataclasses import dataclass
from math import ceil, inf

from withstand.pytest_plugin.objectives import QUANTILES, Objectives
from withstand.stats.sequential import Decision, QuantileTest, fewest_to_meet

# Where a sample that hugs its limit is given up.
_MOST_CALLS = {"p50": 1_000, "p95": 2_000, "p99": 5_000}
_LEAST_FOR_A_RATE, _MOST_FOR_A_RATE = 1_000, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    label: str  # p95 < 200 ms
    slower: str  # what an exceeding call was
    q: float
    of_failures: bool
    test: QuantileTest


class Measurement:
    """Takes the calls one by one; knows when enough is known, and what it says."""

    def __init__(self, objectives: Objectives) -> None:
        self._gates = [
            _Gate(
                label=f"{name} < {limit_ms:g} ms",
                slower="took longer",
                q=QUANTILES[name],
                of_failures=False,
                test=QuantileTest(limit=limit_ms, q=QUANTILES[name], most=_MOST_CALLS[name]),
            )
            for name, limit_ms in objectives.limits_ms.items()
        ]
        rate = objectives.max_error_rate
        if rate:  # with a rate of 0 the first failure ends the test
            most = min(max(_LEAST_FOR_A_RATE, ceil(50 / rate)), _MOST_FOR_A_RATE)
            self._gates.append(
                _Gate(
                    label=f"error rate < {rate * 100:g} %",
                    slower="failed",
                    q=1 - rate,
                    of_failures=True,
                    test=QuantileTest(limit=1, q=1 - rate, most=most),
                )
            )
        self._last_error: BaseException | None = None
        self.calls = 0

    @property
    def done(self) -> bool:
        """Whether every objective is decided, or one is breached."""
        decisions = [gate.test.decision for gate in self._gates]
        return None not in decisions or Decision.BREACHED in decisions

    @property
    def at_pause(self) -> bool:
        """Whether a breach is about to be reproduced or not: the right moment for a pause."""
        return any(gate.test.at_pause for gate in self._gates)

    def add(self, elapsed_ms: float, error: BaseException | None) -> None:
        """Takes one call. A failed call is slower than every limit."""
        self.calls += 1
        self._last_error = error or self._last_error
        for gate in self._gates:
            good_value = 0.0 if gate.of_failures else elapsed_ms
            gate.test.add(good_value if error is None else inf)

    def close(self) -> None:
        """No more calls will come: what is undecided is decided by those there are."""
        for gate in self._gates:
            gate.test.close()

    @property
    def verdict(self) -> Decision:
        """Of all objectives together."""
        decisions = [gate.test.decision for gate in self._gates]
        if Decision.BREACHED in decisions:
            return Decision.BREACHED
        met = all(decision is Decision.MET for decision in decisions)
        return Decision.MET if met else Decision.INCONCLUSIVE

    def explanation(self) -> str:
        """The objectives that were not met, each in a sentence with its numbers."""
        lines = [self._sentence(gate) for gate in self._gates
                 if gate.test.decision is not Decision.MET]  # fmt: skip
        if self.verdict is Decision.BREACHED:
            lines = [line for line in lines if line.startswith(Decision.BREACHED)]
            if self._last_error is not None:
                first = (str(self._last_error).splitlines() or [""])[0]
                lines.append(f"the last failure: {type(self._last_error).__name__}: {first}")
        return "\n".join(lines)

    def properties(self) -> list[tuple[str, object]]:
        """What a JUnit file says of the measurement, in flat names."""
        found: list[tuple[str, object]] = [
            ("withstand.verdict", self.verdict.value),
            ("withstand.calls", self.calls),
        ]
        for gate in self._gates:
            sample = gate.test.samples[-1] if gate.test.samples[-1].count else gate.test.samples[0]
            if sample.count and gate.of_failures:
                found.append(("withstand.error_rate", sample.exceeding / sample.count))
            elif sample.count and sample.quantile(gate.q) != inf:
                name = gate.label.split(" ", 1)[0]
                found.append((f"withstand.{name}_ms", round(sample.quantile(gate.q), 3)))
        return found

    def _sentence(self, gate: _Gate) -> str:
        decision = gate.test.decision or Decision.INCONCLUSIVE
        samples = [sample for sample in gate.test.samples if sample.count]
        counts = ", and then ".join(
            f"{sample.exceeding} of {sample.count} calls {gate.slower}" for sample in samples
        )
        sentence = f"{decision}: {gate.label}: {counts or 'no call was measured'}"
        if samples and not gate.of_failures:
            worst = samples[0].quantile(gate.q)
            measured = f"{worst:.3g} ms" if worst != inf else "a failed call"
            sentence += f"; {gate.label.split(' ', 1)[0]} was {measured}"
        fewest = fewest_to_meet(gate.q)
        if decision is Decision.INCONCLUSIVE and sum(s.count for s in samples) < fewest:
            sentence += f"; it takes at least {fewest} calls to meet it"
        return sentence
