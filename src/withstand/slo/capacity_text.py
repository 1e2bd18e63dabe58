"""A capacity in words: the clauses of the headline, and what a search says of itself. Pure."""

from withstand.slo.capacity import Capacity
from withstand.slo.verdict import VerdictState
from withstand.stats.capacity import End


def rate_text(rate_per_s: float) -> str:
    """A rate as people read it: `361/s`, `1,230/s`, `0.75/s`."""
    return f"{rate_per_s:,.0f}/s" if rate_per_s >= 100 else f"{rate_per_s:.3g}/s"


def capacity_clauses(found: Capacity) -> list[str]:
    """What the search says, in the order of its weight."""
    clauses = []
    wanted, sustained = found.plan.required_per_s, found.sustainable_per_s
    if found.lost is not None:
        rate = rate_text(max(step.step.rate_per_s for step in found.steps))
        clauses.append(f"the API did not answer any more after {rate} ({found.lost})")
    if wanted is not None:
        says = {
            VerdictState.MET: f"the required {rate_text(wanted)} is sustained",
            VerdictState.BREACHED: f"the required {rate_text(wanted)} is not sustained",
            VerdictState.INCONCLUSIVE: f"whether the required {rate_text(wanted)} is sustained "
            "could not be told",
        }
        clauses.append(says[found.required or VerdictState.INCONCLUSIVE])
    if sustained is not None and found.bracket.high_per_s is not None:
        limit = rate_text(found.bracket.high_per_s)
        names = ", ".join(dict.fromkeys(each.objective.text for each in found.limiting))
        breached = f"{names} is breached" if names else "the objectives are breached"
        clauses.append(
            f"the objectives hold up to {rate_text(sustained)}, and {breached} at {limit}"
        )
    elif sustained is not None:
        clauses.append(f"the objectives hold up to {rate_text(sustained)}, the highest rate tried")
    elif found.lost is None:
        clauses.append(_nothing(found))
    return clauses


def _nothing(found: Capacity) -> str:
    """Why there is no sustainable rate."""
    low = found.bracket.low_per_s
    tried = [step.step.rate_per_s for step in found.steps]
    if not tried:
        return "no rate was tried to its end"
    if found.end is End.UNATTAINABLE:
        lowest = rate_text(min(tried))
        return f"the objectives hold at no rate: {_breached(found)} at {lowest} already"
    if found.end is End.UNDECIDABLE and low is None:
        return (
            f"no rate could be told to hold: at {rate_text(min(tried))}, too, it is too close to "
            "the limit"
        )
    if low is not None:
        return f"the objectives were met at {rate_text(low)} at first, which was not confirmed"
    return "no sustainable rate was found yet"


def _breached(found: Capacity) -> str:
    """What is breached at the high end, with its verb."""
    names = list(dict.fromkeys(each.objective.text for each in found.limiting))
    if not names:
        return "the objectives are breached"
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} breached"
