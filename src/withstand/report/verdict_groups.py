"""Verdicts put together for reading, so that many that say the same take one line. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from withstand.report.wording import by_urgency, plural, printable
from withstand.slo import Indicator, Verdict, VerdictState


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGroup:
    """One objective's verdicts of one kind. `shown` stands for all of them: of those that are met
    the one nearest to the limit, of those that are inconclusive the one with the fewest requests.
    """

    shown: Verdict
    others: tuple[Verdict, ...] = ()

    @property
    def place(self) -> str:
        """What the group is about: an operation, so many operations, or the whole run."""
        if self.others:
            return plural(len(self.others) + 1, "operation")
        return place_of(self.shown)

    @property
    def role(self) -> str:
        """Why it is this one that is shown; empty where there is no other."""
        if not self.others:
            return ""
        if self.shown.state is VerdictState.MET:
            return f"nearest to the limit: {place_of(self.shown)}"
        return f"fewest requests: {place_of(self.shown)}"


def place_of(verdict: Verdict) -> str:
    """What a verdict is about, in words."""
    return "whole run" if verdict.operation == "*" else printable(verdict.operation)


def verdict_groups(verdicts: Iterable[Verdict]) -> list[VerdictGroup]:
    """The breached ones first, each alone; then what could not be told and what is met, by
    objective."""
    groups: dict[object, list[Verdict]] = {}
    for index, verdict in enumerate(by_urgency(verdicts)):
        alone = verdict.state is VerdictState.BREACHED or _odd(verdict)
        key = index if alone else (verdict.state, verdict.objective)
        groups.setdefault(key, []).append(verdict)
    return [_group(members) for members in groups.values()]


def _odd(verdict: Verdict) -> bool:
    # Nothing was measured: that is not the same as too few requests.
    return verdict.observed is None and verdict.state is VerdictState.INCONCLUSIVE


def _group(members: list[Verdict]) -> VerdictGroup:
    shown = min(members, key=lambda each: (_headroom(each), each.samples))
    if shown.state is VerdictState.INCONCLUSIVE:
        shown = min(members, key=lambda each: each.samples)
    return VerdictGroup(shown=shown, others=tuple(each for each in members if each is not shown))


def _headroom(verdict: Verdict) -> float:
    """How far the observation is on the good side of the limit, in the limit's unit."""
    observed = verdict.observed if verdict.observed is not None else float("inf")
    distance = verdict.objective.limit - observed
    return -distance if verdict.objective.indicator is Indicator.RATE else distance
