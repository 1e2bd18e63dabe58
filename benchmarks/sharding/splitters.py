"""Each tool's own code, asked which shard runs which test."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benchmarks.sharding.suites import Suite

from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode, plan_of_suite

Split = list[set[str]]
"""The node ids of each shard."""
Splitter = Callable[[list[Member], Suite, int], Split]
"""What was collected, what a durations file says, the number of shards."""


@dataclass(frozen=True, slots=True)
class Item:
    """As much of a pytest item as the tools look at."""

    nodeid: str

    def __str__(self) -> str:
        return f"<Function {self.nodeid.rsplit('::', 1)[-1]}>"


def withstand(mode: ShardMode) -> Splitter:
    """Ours, with classes kept whole, as is the default."""

    def split(collected: list[Member], recorded: Suite, shards: int) -> Split:
        plan = plan_of_suite(collected, recorded, by=ShardBy.CLASS, mode=mode, shards=shards)
        found: Split = [set() for _ in range(shards)]
        for member in collected:
            found[plan.shard_of(member.key(ShardBy.CLASS)) - 1].add(member.nodeid)
        return found

    return split


def pytest_split(algorithm: str) -> Splitter:
    """pytest-split, by one of its algorithms. Raises IndexError where that does."""
    choose: Any = getattr(_module("pytest_split.algorithms").Algorithms, algorithm).value

    def split(collected: list[Member], recorded: Suite, shards: int) -> Split:
        seconds = {member.nodeid: ms / 1_000 for member, ms in recorded.items()}
        groups = choose(shards, [Item(member.nodeid) for member in collected], seconds)
        return [{item.nodeid for item in group.selected} for group in groups]

    return split


def pytest_shard() -> Splitter:
    """pytest-shard, which looks at nothing but the node id."""
    choose: Any = _module("pytest_shard.pytest_shard").filter_items_by_shard

    def split(collected: list[Member], _recorded: Suite, shards: int) -> Split:
        items = [Item(member.nodeid) for member in collected]
        return [{item.nodeid for item in choose(items, n, shards)} for n in range(shards)]

    return split


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise SystemExit(
            f"{name} is not installed: run this with uv run --with pytest-split==0.11.0 "
            "--with pytest-shard==0.1.2"
        ) from None
