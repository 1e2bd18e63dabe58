"""A run that came to nothing, and what several of them say. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from withstand.sharding import Shard

PYTEST: Final = "pytest"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidRun:
    """A run of which nothing is known but why: nothing answered, nobody could log in, the document
    could not be read.

    `verb` is that of the command line (`check`), or `pytest`; `shard` its part of a divided run,
    None of a whole one.
    """

    verb: str
    reason: str
    shard: Shard | None = None

    @property
    def of_load(self) -> bool:
        """Whether a load was to be sent, which has shards of its own."""
        return self.verb in {"load", "soak"}


def why_nothing(runs: Iterable[VoidRun]) -> tuple[str, ...]:
    """A clause for each reason, with all the shards that have it."""
    shards: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        having = shards.setdefault((run.verb, run.reason), [])
        if run.shard is not None:
            having.append(str(run.shard))
    return tuple(
        f"{verb if verb == PYTEST else f'withstand {verb}'}{_of(having)} came to nothing: {reason}"
        for (verb, reason), having in shards.items()
    )


def _of(shards: list[str]) -> str:
    if not shards:
        return ""
    return f" of shard{'' if len(shards) == 1 else 's'} {', '.join(shards)}"
