"""What a long run has measured so far, on disk, so that a crash loses at most a minute of it."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final

from withstand.errors import UsageError
from withstand.load.snapshots import joined
from withstand.results import Results
from withstand.results_file import checkpoint_line

_EVERY_S: Final = 60.0


class CheckpointFile:
    """A line for each stretch of the run, appended and flushed to the disk; at the end one that
    says so. `read_results` reads the file at any moment.

    A file of an earlier run is kept beside it, as FILE.previous. A disk that takes no more does
    not end the run: `trouble` says so. Raises UsageError when the file cannot be made.
    """

    def __init__(self, path: Path, *, every_s: float = _EVERY_S) -> None:
        self._path = path
        self._every_s = every_s
        self._pending: Results | None = None
        self._writing: Future[None] | None = None
        self._under_way: Results | None = None
        self._latest: Results | None = None
        self._written_s: float | None = None
        self.trouble: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size:
                path.replace(path.with_name(f"{path.name}.previous"))
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise UsageError(
                f"the checkpoint {path} cannot be written: {error.strerror}",
                hint="name a file in a folder that you may write to",
            ) from None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")

    def __enter__(self) -> "CheckpointFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever ended the run: what was noted is written."""
        self._settle()
        if self._pending is not None:
            self._start()
            self._settle()
        self._thread.shutdown()
        self._file.close()

    def note(self, results: Results) -> None:
        """Take in the results so far, whose load is the next snapshot."""
        self._latest = results
        self._pending = self._with_pending(results)
        now_s = results.load.duration_s if results.load is not None else 0.0
        if self._written_s is not None and now_s - self._written_s < self._every_s:
            return
        if self._writing is not None and not self._writing.done():
            return  # a slow disk: it gets all of it in one piece later
        self._settle()
        self._written_s = now_s
        self._start()

    def end(self, results: Results) -> None:
        """The run came to its end: the last line is no interruption, unless it was one."""
        self._settle()
        last = self._pending if self._pending is not None else self._nothing_new()
        if last is not None:
            self._pending = replace(
                last, interrupted=results.interrupted, duration_s=results.duration_s
            )

    def _nothing_new(self) -> Results | None:
        """A snapshot without what the file holds already: the end may come right after a line."""
        if self._latest is None or self._latest.load is None:
            return self._latest
        return replace(
            self._latest, load=replace(self._latest.load, operations={}, server_samples=())
        )

    def _with_pending(self, results: Results) -> Results:
        before = self._pending.load if self._pending is not None else None
        if before is None or results.load is None:
            return results
        return replace(results, load=joined(before, results.load))

    def _start(self) -> None:
        """Hand what is pending to the thread: the schedule has no time for a disk."""
        assert self._pending is not None, "there is something to write"
        self._under_way, self._pending = self._pending, None
        self._writing = self._thread.submit(self._append, self._under_way)

    def _settle(self) -> None:
        """Wait for the thread; what it could not write is pending again."""
        if self._writing is None or self._under_way is None:
            return
        try:
            self._writing.result()
        except OSError as error:
            self.trouble = f"the checkpoint {self._path} could not be written: {error.strerror}"
            later, self._pending = self._pending, self._under_way
            if later is not None:
                self._pending = self._with_pending(later)
        self._writing = self._under_way = None

    def _append(self, results: Results) -> None:
        begins = self._file.tell()
        try:
            rest = memoryview(checkpoint_line(results).encode("ascii"))
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.seek(begins)  # half a line would spoil those after it
            self._file.truncate()
            raise
