"""The tables of docs/statistics.md that hold nothing to a bound: what a verdict takes, and where
the procedure does not help."""

from typing import Any

from benchmarks.statistics.verdict_runs import Tallies
from tests.stats.simulated_latencies import IN_TURN, INDEPENDENT
from tests.stats.simulated_verdicts import Case, Tally

# True shares of slow requests, as multiples of what the objective allows.
_MULTIPLES = (0.0, 0.2, 0.5, 0.8, 1.0, 1.2, 1.6, 2.0, 4.0)
_QUANTILES = (0.9, 0.95, 0.99)
_BURSTS = ("bursts of 3", "bursts of 10", "bursts of 30", "bursts of 60", IN_TURN)


def _taking(q: float, multiple: float) -> Case:
    return Case(service=INDEPENDENT, share=round(multiple * (1 - q), 6), q=q)


def _bursting(service: str) -> tuple[Case, Case, Case]:
    return (
        Case(service=service, share=0.10),
        Case(service=service, share=0.05),
        Case(service=service, share=0.05, pause=False),
    )


CASES = (
    *(_taking(q, multiple) for q in _QUANTILES for multiple in _MULTIPLES),
    *(case for service in _BURSTS for case in _bursting(service)),
)


def tables(tallies: Tallies) -> dict[str, Any]:
    """Plain numbers, for results.json. Shares of runs; requests is the mean."""
    return {
        "requests": [
            {"multiple": multiple, **{f"p{100 * q:g}": _plain(tallies[_taking(q, multiple)])
                                      for q in _QUANTILES}}
            for multiple in _MULTIPLES
        ],
        "bursts": [
            {
                "service": service,
                "twice": _plain(tallies[twice]),
                "at_limit": _plain(tallies[at_limit]),
                "without_pause": _plain(tallies[without_pause]),
            }
            for service in _BURSTS
            for twice, at_limit, without_pause in (_bursting(service),)
        ],
    }  # fmt: skip


def _plain(tally: Tally) -> dict[str, float]:
    return {
        "met": tally.met / tally.runs,
        "breached": tally.breached / tally.runs,
        "inconclusive": tally.inconclusive / tally.runs,
        "requests": round(tally.requests / tally.runs, 1),
    }
