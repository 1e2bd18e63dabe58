"""How much a scan may send, and whether it still may. Pure."""

import math
from dataclasses import dataclass


class BudgetSpent(Exception):  # noqa: N818 - the end of an allowance, not an error
    """The scan has used up the requests or the time it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a scan may send. None: no limit."""

    requests: int | None = 20_000
    duration_s: float | None = 1_800.0
    requests_per_s: float | None = None


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What a budget still allows. `kept_back` is the share of it that is not to be spent yet."""

    budget: Budget
    requests: int = 0  # sent so far
    kept_back: float = 0.0

    def spend(self, requests: int, elapsed_s: float) -> None:
        """Counts requests that are about to be sent. Raises BudgetSpent."""
        allowed, duration_s = self.budget.requests, self.budget.duration_s
        share = 1.0 - self.kept_back
        if allowed is not None and self.requests + requests > allowed * share:
            raise BudgetSpent(f"the budget of {allowed:,} requests is spent")
        if duration_s is not None and elapsed_s > duration_s * share:
            raise BudgetSpent(f"the budget of {duration_s:g} s is spent")
        self.requests += requests

    def left(self, elapsed_s: float) -> float:
        """How many requests may yet be sent, if they take as long as those before."""
        share = 1.0 - self.kept_back
        counts = [math.inf]
        if self.budget.requests is not None:
            counts.append(self.budget.requests * share - self.requests)
        if self.budget.duration_s is not None and elapsed_s > 0:
            left_s = self.budget.duration_s * share - elapsed_s
            counts.append(left_s * self.requests / elapsed_s)
        return min(counts)
