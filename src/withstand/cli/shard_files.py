"""What the shards of a run left behind: results, journals and JUnit files, in directories or named
one by one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from withstand.errors import UsageError
from withstand.results import Results
from withstand.results_file import is_checkpoint, is_journal, is_results, read_results

_HEAD_CHARACTERS: Final = 1_000
_KINDS: Final = "*.json", "*.jsonl", "*.xml"
_JOURNALS: Final = "suite*.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFiles:
    """Files of each kind, in the order of their paths; `empty` are the paths without any results,
    and journals without a line: what their shards did is not known.
    """

    results: tuple[Path, ...]
    junit: tuple[Path, ...]
    empty: tuple[Path, ...] = ()

    def refusal(self) -> UsageError:
        """What is to be said of the empty ones."""
        names = ", ".join(map(str, self.empty))
        return UsageError(
            f"{names} {'has' if len(self.empty) == 1 else 'have'} no results of a shard",
            hint="see why the job left none: pytest writes them with --withstand-report-dir, "
            "withstand with --report-dir",
        )

    def read(self) -> list[Results]:
        """The results. Raises UsageError for a file that cannot be read."""
        return [read_results(path) for path in self.results]


def find_shard_files(paths: Sequence[Path], leave_out: Collection[Path] = ()) -> ShardFiles:
    """The files of paths: those that are named, and of directories whatever is of a run, but for
    the files to `leave_out`, and for checkpoints beside results.

    A shard that was killed before its first test may have left a directory without results, a file
    without a byte, or half of a journal's first line. Raises UsageError for a path that is not
    there, and where all are without results.
    """
    results: list[Path] = []
    junit: list[Path] = []
    empty: list[Path] = []
    unread = {each.resolve() for each in leave_out}
    for path in paths:
        found = [path]
        if path.is_dir():
            found = sorted(each for each in _within(path) if each.resolve() not in unread)
        heads = {file: head for file in found if (head := _head(file))}
        named = _results_among(heads)
        junit += (file for file, head in heads.items() if "<testsuite" in head)
        if not named and (path.is_dir() or path not in heads):
            empty.append(path)
        else:
            empty += (file for file in found if file.match(_JOURNALS) and file not in heads)
        # What was named and is nothing of ours is refused where it is read.
        results += named if path.is_dir() else [file for file in heads if file not in junit]
    files = ShardFiles(results=tuple(results), junit=tuple(junit), empty=tuple(empty))
    if empty and not results:
        raise files.refusal()
    return files


def _results_among(heads: Mapping[Path, str]) -> list[Path]:
    """The results by how files begin, without the checkpoint of a run that left results beside it:
    it says the same once more.
    """
    found = {file: head for file, head in heads.items() if is_results(head)}
    concluded = {
        file.parent
        for file, head in found.items()
        if not is_checkpoint(head) and not is_journal(head)
    }
    return [
        file
        for file, head in found.items()
        if file.parent not in concluded or not is_checkpoint(head)
    ]


def _within(directory: Path) -> Iterator[Path]:
    for pattern in _KINDS:
        yield from (path for path in directory.rglob(pattern) if path.is_file())


def _head(path: Path) -> str:
    """How a file begins; nothing of a journal that was cut off in its first line."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD_CHARACTERS)
            whole = not is_journal(head) or "\n" in head or file.readline().endswith("\n")
            return head if whole else ""
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint="give the files and directories that the shards wrote",
        ) from None
