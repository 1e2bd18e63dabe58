"""What the verdicts on latency must do on simulated services, row by row.

benchmarks/statistics/verdicts.py holds all of it over 2,000 runs; the tests hold a part of it over
fewer, with room for chance. The bounds are about a fifth to a half above what an independent
simulation of the same rule gave, so that they hold with other random numbers and not with another
rule.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

from tests.stats.simulated_latencies import DEPENDENT, IN_TURN, INDEPENDENT, SHAPES
from tests.stats.simulated_verdicts import Case, Tally

RUNS: Final = 2_000
_ROOM: Final = 3.0  # standard errors: a bound that holds is missed about once in a thousand times


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`of` "met" or "breached" is a share of the runs, of "requests" their mean."""

    of: Literal["met", "breached", "requests"]
    least: float | None = None
    most: float | None = None

    def value(self, tally: Tally) -> float:
        """What it is about, in a tally of at least one run."""
        return float(getattr(tally, self.of)) / tally.runs

    def holds(self, tally: Tally) -> bool:
        """Whether it does in just these runs."""
        return self._within(self.value(tally), 0, 0)

    def may_hold(self, tally: Tally) -> bool:
        """Whether it may hold of many runs, by the evidence of these."""

        def room(bound: float | None) -> float:
            if bound is None:
                return 0
            # The requests that a decision takes vary by less than their mean.
            spread = bound if self.of == "requests" else sqrt(bound * (1 - bound))
            return _ROOM * spread / sqrt(tally.runs)

        return self._within(self.value(tally), room(self.least), room(self.most))

    def _within(self, value: float, below: float, above: float) -> bool:
        enough = self.least is None or value >= self.least - below
        return enough and (self.most is None or value <= self.most + above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table of acceptance figures."""

    id: str
    case: Case
    bounds: tuple[Bound, ...]


def _breached(most: float) -> Bound:
    return Bound(of="breached", most=most)


def _met(least: float) -> Bound:
    return Bound(of="met", least=least)


def _requests(most: float) -> Bound:
    return Bound(of="requests", most=most)


def _independent(id: str, share: float, *bounds: Bound) -> Row:
    return Row(id=id, case=Case(service=INDEPENDENT, share=share), bounds=bounds)


ROWS: Final = (
    _independent("A1", 0.05, _breached(0.005), Bound(of="met", most=0.05)),
    _independent("A2", 0.025, _breached(0.001), _met(0.98), _requests(560)),
    _independent("A3", 0.0, _met(1.0), _requests(110)),
    _independent("A3", 0.01, _met(0.995), _requests(190)),
    _independent("A4", 0.08, Bound(of="breached", least=0.95)),
    _independent("A4", 0.10, Bound(of="breached", least=0.99), _requests(620)),
    _independent("A4", 0.20, Bound(of="breached", least=0.995), _requests(140)),
    *(
        Row(id="A5", case=Case(service=service, share=share), bounds=(_breached(most),))
        for service in DEPENDENT
        for share, most in ((0.05, 0.015), (0.025, 0.003))
    ),
    *(
        Row(id="A6", case=Case(service=service, share=0.025), bounds=(_breached(0.001), _met(0.98)))
        for service in SHAPES
    ),
    Row(
        id="A7",
        case=Case(service=IN_TURN, share=0.10),
        bounds=(Bound(of="breached", least=0.85), Bound(of="met", most=0.04)),
    ),
)

SMALLEST_TO_MEET: Final = {
    0.50: (7, 12, 15, 18),
    0.90: (42, 72, 90, 107),
    0.95: (85, 147, 183, 218),
    0.99: (429, 744, 926, 1102),
}
"""A8: how many requests meet a limit, with 0, 1, 2 and 3 slow ones among them, looked at after
every request."""

NAIVE: Final = {1: (0.02, 0.035), 20: (0.07, 0.11), 100: (0.03, 0.06)}
"""A9: how often the p95 of so many requests is above the limit although 2.5 % are, where 5 % may:
the least and the greatest share of the runs."""
