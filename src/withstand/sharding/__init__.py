"""Shards: which part of a whole runs where, and whether the parts were the whole. Pure.

shard       one of N parts; where a key belongs that nothing is known of
member      one test of a suite, and what it stays together with
plan        parts that take equally long
durations   how long tests take, in a file that a team commits
"""

from withstand.sharding.shard import (
    Shard,
    joined,
    missing_from,
    parse_shard,
    shard_of,
    shortfall,
)

__all__ = ["Shard", "joined", "missing_from", "parse_shard", "shard_of", "shortfall"]
