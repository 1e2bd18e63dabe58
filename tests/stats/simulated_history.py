"""Commits whose runs vary from one to the next, and what the rule for histories says of them."""

import math
from random import Random

from withstand.stats.history_rule import RUNS, compare, confirmed

USUAL = 100.0
ODD_SHARE = 0.02  # of runs that a neighbour slows down by up to 35 %
_ODD_LOG = 0.3


class Runs:
    """Levels of runs, one after another: lognormal, AR(1) in their logarithms, a few odd ones."""

    def __init__(self, random: Random, *, sd: float, phi: float = 0.0) -> None:
        self._random, self._sd, self._phi = random, sd, phi
        self._deviation = random.gauss(0, 1)

    def next(self, slower: float = 0.0) -> float:
        """The next run's level; `slower` by a share than those before."""
        level = USUAL * (1 + slower) * math.exp(self._sd * self._deviation)
        shock = self._random.gauss(0, 1)
        self._deviation = self._phi * self._deviation + math.sqrt(1 - self._phi**2) * shock
        odd = self._random.random() < ODD_SHARE
        return level * math.exp(_ODD_LOG * self._random.random()) if odd else level

    def rerun(self, slower: float = 0.0) -> float:
        """A run of the same commit at another time of the day: it depends on no neighbour."""
        return Runs(self._random, sd=self._sd).next(slower)


def false_alarms(
    *, sd: float, commits: int, seed: int, phi: float = 0.0, confirm: str = "rerun"
) -> float:
    """Alarms in a hundred commits none of which is slower. `confirm` by a rerun at once ("rerun"),
    by the next commit's run ("next"), or not at all ("never")."""
    random = Random(seed)
    alarms = 0
    history = Runs(random, sd=sd, phi=phi)
    levels = [history.next() for _ in range(RUNS)]
    for _ in range(commits):
        level = history.next()
        before = levels[-RUNS:]
        levels.append(level)
        if not compare(before, level).higher:
            continue
        if confirm == "never":
            alarms += 1
            continue
        if confirm == "rerun":
            again = history.rerun()
        else:
            again = history.next()
            levels.append(again)
        alarms += confirmed(before, level, again)
    return 100 * alarms / commits


def found(slower: float, *, sd: float, runs: int, seed: int, confirm: bool = True) -> float:
    """The share of commits that are slower and said to be."""
    random = Random(seed)
    seen = 0
    for _ in range(runs):
        history = Runs(random, sd=sd)
        before = [history.next() for _ in range(RUNS)]
        level, again = history.next(slower), history.rerun(slower)
        if confirm:
            seen += confirmed(before, level, again)
        else:
            seen += bool(compare(before, level).higher)
    return seen / runs
