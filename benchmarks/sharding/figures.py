"""What splits come to: how long the slowest shard takes, and what is lost."""

import random
from collections import Counter
from dataclasses import dataclass
from statistics import fmean

from benchmarks.sharding.splitters import Split, Splitter
from benchmarks.sharding.suites import SUITES, Suite, recorded

from withstand.sharding.member import Member

RUNS = 200
SHARDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How far recorded durations are off, the share of tests of which there are none, and the share
    of the files that is collected.
    """

    noise: float = 0.0
    unknown: float = 0.0
    chosen: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The mean of how long the slowest shard takes, of the shortest time that any cut could take;
    None where no run came to an end. `crashed` is the share of runs that did not.
    """

    ratio: float | None
    crashed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Tests that no shard ran, and tests that several ran: means of a run."""

    lost: float
    doubled: float
    crashed: float


def balance(splitter: Splitter, suite: str, case: Case, *, runs: int = RUNS) -> Balance:
    """Over seeded runs."""
    ratios = []
    for seed in range(runs):
        rng = random.Random(f"{suite} {seed}")  # noqa: S311 - a simulation, no secrets
        truth = SUITES[suite](rng)
        known = recorded(truth, rng, noise=case.noise, unknown=case.unknown)
        collected = _some_files(truth, case.chosen, rng)
        try:
            ratios.append(_ratio(splitter(collected, known, SHARDS), truth, collected))
        except IndexError:
            continue
    return Balance(ratio=fmean(ratios) if ratios else None, crashed=1 - len(ratios) / runs)


def loss(splitter: Splitter, suite: str, *, runs: int = RUNS) -> Loss:
    """One shard, another in each run, collects one test that the others do not."""
    lost, doubled = [], []
    for seed in range(runs):
        rng = random.Random(f"{suite} {seed}")  # noqa: S311 - a simulation, no secrets
        truth = SUITES[suite](rng)
        collected = list(truth)
        more = [*collected]
        place = rng.randrange(len(more) + 1)
        file = more[place - 1].nodeid.partition("::")[0]
        more.insert(place, Member(nodeid=f"{file}::test_only_here[{seed}]"))
        other = rng.randrange(SHARDS)
        try:
            splits = (splitter(collected, truth, SHARDS), splitter(more, truth, SHARDS))
        except IndexError:
            continue
        ran = Counter(nodeid for shard in range(SHARDS) for nodeid in splits[shard == other][shard])
        lost.append(sum(not ran[member.nodeid] for member in collected))
        doubled.append(sum(ran[member.nodeid] > 1 for member in collected))
    return Loss(lost=fmean(lost), doubled=fmean(doubled), crashed=1 - len(lost) / runs)


def _some_files(truth: Suite, share: float, rng: random.Random) -> list[Member]:
    files = sorted({member.nodeid.partition("::")[0] for member in truth})
    kept = set(rng.sample(files, max(1, round(share * len(files)))))
    return [member for member in truth if member.nodeid.partition("::")[0] in kept]


def _ratio(split: Split, truth: Suite, collected: list[Member]) -> float:
    ms = {member.nodeid: truth[member] for member in collected}
    loads = [sum(ms[nodeid] for nodeid in shard) for shard in split]
    return max(loads) / max(sum(loads) / len(loads), *ms.values())
