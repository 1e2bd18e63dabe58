"""Whose turn it is when several operations are tried at once. Pure: the clock is handed in.

Round-robin over all that are undecided, so that the requests of each span the whole time: a burst
of slowness that would fill the sample of one operation is spread thin over those of all.
"""

from collections.abc import Mapping
from typing import Final

from withstand.slo.trial import Trial
from withstand.stats.warm_up import least_dropped

WARM_UP: Final = least_dropped(1)
_WARM_UP_SHARE: Final = 0.1  # of the budget: ten requests of three seconds would leave nothing
_PAUSE_S: Final = 1.0  # before the sample that has to show a breach again: a burst should be over


class _Place:
    """How far one operation is."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.warm_up = 0
        self.spent_s = 0.0
        self.resumes_at_s = 0.0
        self.withdrawn = False


class Rota:
    """Takes the requests of all operations as they come, and says who is next.

    `budget_s` is how long the requests of one operation may take in all. Its first ten are a
    warm-up and do not count; fewer where they take a tenth of the budget, but always one.
    """

    def __init__(self, trials: Mapping[str, Trial], *, budget_s: float) -> None:
        self._places = {operation: _Place(trial) for operation, trial in trials.items()}
        self._budget_s = budget_s
        self._order = list(trials)

    def next(self, now_s: float) -> str | None:
        """The operation to be asked now; None when all are over or pause."""
        for index, operation in enumerate(self._order):
            if self._is_open(operation) and self._places[operation].resumes_at_s <= now_s:
                self._order = [*self._order[index + 1 :], *self._order[: index + 1]]
                return operation
        return None

    def wait_s(self, now_s: float) -> float | None:
        """How long until one of those that pause goes on; None when all are over."""
        resumes = [self._places[each].resumes_at_s for each in self._order if self._is_open(each)]
        return max(min(resumes) - now_s, 0.0) if resumes else None

    def warming_up(self, operation: str) -> bool:
        """Whether the operation's next request is part of its warm-up."""
        place = self._places[operation]
        lasted = place.warm_up and place.spent_s > _WARM_UP_SHARE * self._budget_s
        return not place.trial.requests and place.warm_up < WARM_UP and not lasted

    def took(self, operation: str, elapsed_ns: int | None, *, spent_s: float, now_s: float) -> bool:
        """Takes a request, None of one that failed, on which `spent_s` were spent until now; says
        whether it counts.
        """
        place = self._places[operation]
        counts = not self.warming_up(operation)
        place.spent_s += spent_s
        if not counts:
            place.warm_up += 1
            return False
        place.trial.add(elapsed_ns or 0, failed=elapsed_ns is None)
        if place.trial.at_pause:
            place.resumes_at_s = now_s + _PAUSE_S
        return True

    def withdraw(self, operation: str) -> None:
        """The operation cannot be tried after all."""
        self._places[operation].withdrawn = True

    def spent_s(self, operation: str) -> float:
        """How long the operation's requests took in all."""
        return self._places[operation].spent_s

    def warmed_up(self, operation: str) -> int:
        """How many requests were its warm-up."""
        return self._places[operation].warm_up

    @property
    def over(self) -> int:
        """How many operations need no more requests, or get none."""
        return sum(not self._is_open(operation) for operation in self._order)

    def _is_open(self, operation: str) -> bool:
        place = self._places[operation]
        spent = place.spent_s >= self._budget_s
        return not (place.withdrawn or place.trial.all_decided or spent)
