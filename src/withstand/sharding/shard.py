"""One of several parts, and where a key belongs that nothing is known of. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from withstand.errors import UsageError

_ONE_RUN = "merge each shard of one run once"
_MOST: Final = 1_000  # several times what CI systems start; work grows with tests times shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `total` parts of a suite, counted from 1."""

    number: int
    total: int

    def __post_init__(self) -> None:
        if self.total < 1:
            raise UsageError(
                f"the number of shards is {self.total} and must be at least 1",
                hint="write --shard-id=1 --num-shards=4 for the first of four",
            )
        if self.total > _MOST:
            raise UsageError(
                f"the number of shards is {self.total} and must be at most {_MOST}",
                hint="write --shard 1/4 for the first of four",
            )
        if not 1 <= self.number <= self.total:
            raise UsageError(
                f"shard {self.number} of {self.total} does not exist: shards count from 1 to "
                f"{self.total}",
                hint=_counting_hint(self.number, self.total),
            )

    def holds(self, key: str) -> bool:
        """Whether what goes by this key runs in this shard."""
        return shard_of(key, self.total) == self.number

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def shard_of(key: str, shards: int) -> int:
    """The shard, 1 to `shards`, that a key belongs to.

    Rendezvous hashing (Thaler & Ravishankar 1998): the shard with the greatest hash of shard and
    key wins. The answer depends on nothing else, so machines that collect different tests still
    agree on every test they share, and none is lost or run twice.
    """
    text = key.encode("utf-8", "surrogatepass")
    return max(range(1, shards + 1), key=lambda shard: sha256(b"%d:" % shard + text).digest())


def joined(first: tuple[Shard, ...], second: tuple[Shard, ...]) -> tuple[Shard, ...]:
    """The shards of two parts of a run together, ascending; none of two whole runs.

    Raises UsageError when they are no parts of one run, or when one is in both.
    """
    if bool(first) != bool(second):
        raise UsageError("a shard cannot be merged with a whole run", hint=_ONE_RUN)
    for shard in second:
        if shard.total != first[0].total:
            raise UsageError(
                f"shard {shard} cannot be merged with shard {first[0]}: they are parts of "
                f"{shard.total} and of {first[0].total}",
                hint=_ONE_RUN,
            )
        if shard in first:
            raise UsageError(f"shard {shard} is there twice", hint=_ONE_RUN)
    return tuple(sorted((*first, *second), key=lambda shard: shard.number))


def missing_from(shards: tuple[Shard, ...]) -> tuple[Shard, ...]:
    """The shards of the same run that are not among these; none where these are none."""
    total = shards[0].total if shards else 0
    every = (Shard(number=number, total=total) for number in range(1, total + 1))
    return tuple(shard for shard in every if shard not in shards)


def shortfall(
    shards: tuple[Shard, ...], one: str, several: str, *, told: Collection[Shard] = ()
) -> str | None:
    """Which shards are missing and what follows, said of `one` or of `several`; None where all are
    there, but for those of which more is `told`.
    """
    missing = [shard for shard in missing_from(shards) if shard not in told]
    if not missing:
        return None
    names = ", ".join(map(str, missing))
    if len(missing) == 1:
        return f"shard {names} is missing, so {one}"
    return f"shards {names} are missing, so {several}"


def parse_shard(text: str) -> Shard:
    """The shard of `2/4`, the second of four. Raises UsageError."""
    match = re.fullmatch(r"\s*([0-9]{1,18})\s*/\s*([0-9]{1,18})\s*", text)
    if match is None:
        raise UsageError(f"{text!r} is no shard", hint="write it as 2/4, the second of four")
    return Shard(number=int(match[1]), total=int(match[2]))


def _counting_hint(number: int, total: int) -> str:
    if number == 0:
        return f"tools that count from 0 (pytest-shard) call shard 1 their 0: pass 1 to {total}"
    return f"pass a shard from 1 to {total}, or a greater number of shards"
