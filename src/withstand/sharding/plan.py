"""Plans: shards that take equally long. Pure.

Longest first onto the shard that has least so far (LPT; Graham 1969: at most 4/3 - 1/(3 N) of the
best). It is not improved upon because estimates are wrong: what packs tighter by them (MULTIFIT)
is worse as soon as some are missing.

In the mode `stable` a plan is made of a whole durations file, so it depends on the file and the
number of shards alone: machines that collect different tests still agree on each. In the mode
`collected` it is made of what was collected, which balances a part of a suite better, and holds
only if every shard collects the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from heapq import heapify, heappop, heappush

from withstand.sharding.member import Member, ShardBy
from withstand.sharding.shard import shard_of


class ShardMode(StrEnum):
    """What a plan is made of."""

    STABLE = "stable"
    COLLECTED = "collected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which shard a key belongs to. `digest` is the same where, and only where, plans are."""

    shards: int
    shard_by_key: Mapping[str, int]
    digest: str

    def shard_of(self, key: str) -> int:
        """The shard, counted from 1. Keys that the plan does not know are spread evenly."""
        return self.shard_by_key.get(key) or shard_of(key, self.shards)


def balanced(estimates_ms: Mapping[str, int], shards: int) -> Plan:
    """A plan of keys and how long they take, in whole milliseconds, so that sums are exact.

    What takes no time counts as 1 ms: a shard full of nothing would look empty for ever. Equal
    estimates are taken in the order of their keys, and of equal shards the first takes.
    """
    taken = {key: max(1, estimate_ms) for key, estimate_ms in estimates_ms.items()}
    waiting = [(0, number) for number in range(1, shards + 1)]
    heapify(waiting)
    shard_by_key = {}
    for key in sorted(taken, key=lambda key: (-taken[key], key)):
        load_ms, number = heappop(waiting)
        shard_by_key[key] = number
        heappush(waiting, (load_ms + taken[key], number))
    text = json.dumps([shards, sorted(taken.items())])
    return Plan(
        shards=shards, shard_by_key=shard_by_key, digest=sha256(text.encode()).hexdigest()[:16]
    )


def plan_of_suite(
    collected: Sequence[Member],
    known_ms: Mapping[Member, int],
    *,
    by: ShardBy,
    mode: ShardMode,
    shards: int,
) -> Plan:
    """The plan of a suite, of what was collected and how long tests are known to take."""
    if mode is ShardMode.STABLE:
        return balanced(_by_key(known_ms.items(), by), shards)
    return balanced(_by_key(_estimated(collected, known_ms), by), shards)


def expected_ms(
    plan: Plan, collected: Sequence[Member], known_ms: Mapping[Member, int], *, by: ShardBy
) -> tuple[int, ...]:
    """How long each shard will take for what was collected; empty where nothing is known."""
    if not known_ms:
        return ()
    loads_ms = [0] * plan.shards
    for member, estimate_ms in _estimated(collected, known_ms):
        loads_ms[plan.shard_of(member.key(by)) - 1] += estimate_ms
    return tuple(loads_ms)


def _estimated(
    collected: Sequence[Member], known_ms: Mapping[Member, int]
) -> list[tuple[Member, int]]:
    """A test that nothing is known of takes as long as the mean of the others."""
    by_nodeid = {member.nodeid: estimate_ms for member, estimate_ms in known_ms.items()}
    known = [by_nodeid[each.nodeid] for each in collected if each.nodeid in by_nodeid]
    sample = known or list(by_nodeid.values()) or [1]
    mean_ms = sum(sample) // len(sample)
    return [(each, by_nodeid.get(each.nodeid, mean_ms)) for each in collected]


def _by_key(estimates: Iterable[tuple[Member, int]], by: ShardBy) -> dict[str, int]:
    sums: dict[str, int] = {}
    for member, estimate_ms in estimates:
        key = member.key(by)
        sums[key] = sums.get(key, 0) + estimate_ms
    return sums
