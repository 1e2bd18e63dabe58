"""What the shards of a run left behind: results, journals and JUnit files, in directories or named
one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from withstand.errors import UsageError
from withstand.results import Results
from withstand.results_file import is_results, read_results

_HEAD_CHARACTERS: Final = 1_000
_KINDS: Final = "*.json", "*.jsonl", "*.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFiles:
    """Files of each kind, in the order of their paths."""

    results: tuple[Path, ...]
    junit: tuple[Path, ...]

    def read(self) -> list[Results]:
        """The results. Raises UsageError for a file that cannot be read."""
        return [read_results(path) for path in self.results]


def find_shard_files(paths: Sequence[Path]) -> ShardFiles:
    """The files of paths: those that are named, and of directories whatever is of a run.

    Raises UsageError for a path that is not there, and for a directory without any results: its
    shard has failed before its first test.
    """
    results: list[Path] = []
    junit: list[Path] = []
    for path in paths:
        found = sorted(_within(path)) if path.is_dir() else [path]
        heads = {file: _head(file) for file in found}
        named = [file for file, head in heads.items() if is_results(head)]
        junit += (file for file, head in heads.items() if "<testsuite" in head)
        if path.is_dir() and not named:
            raise UsageError(
                f"{path} has no results of a shard",
                hint="see why its job left none: pytest writes them with --withstand-report-dir, "
                "withstand with --report-dir",
            )
        # What was named and is nothing of ours is refused where it is read.
        results += named if path.is_dir() else [file for file in found if file not in junit]
    return ShardFiles(results=tuple(results), junit=tuple(junit))


def _within(directory: Path) -> Iterator[Path]:
    for pattern in _KINDS:
        yield from directory.rglob(pattern)


def _head(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_HEAD_CHARACTERS)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint="give the files and directories that the shards wrote",
        ) from None
