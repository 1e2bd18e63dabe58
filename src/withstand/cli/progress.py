"""Progress on stderr: a live line on a terminal, plain lines now and then in CI."""

import os
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from withstand.load.progress import Progress as LoadProgress
from withstand.scan.plan import ScanProgress
from withstand.units import format_duration_ns
from withstand.workflows import TrialProgress
from withstand.workflows.attendance import Watcher
from withstand.workflows.compare_plan import CompareProgress

_PLAIN_EVERY_S = 5.0
_LONG_WAIT_S = 3.0  # after which people wonder


def drawable(console: Console) -> bool:
    """Whether what moves can be shown: on a terminal that is no CI's and can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI")


class ProgressLine:
    """Shows how far a run is. As a context manager it cleans up after itself.

    `doing` is what a load is called while it runs.
    """

    watch: Watcher | None = None  # a line has no room for what a snapshot tells

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(file=sys.stderr)
        self._live = drawable(console) and not quiet
        self._quiet = quiet
        self._spoke_s = 0.0
        self.doing = "load"
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("starting", total=None, note="")

    def __enter__(self) -> "ProgressLine":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def scan(self, progress: ScanProgress) -> None:
        """Draws the state of a scan."""
        note = f"{progress.requests:,} requests, {progress.findings} findings"
        if progress.waits_s >= _LONG_WAIT_S:
            self.say(
                f"waiting {progress.waits_s:.0f} s: the target is busy or wants fewer requests"
            )
        self._show(
            progress.phase,
            progress.done,
            progress.total,
            f"{note}  {progress.now}" if progress.now else note,
        )

    def trials(self, progress: TrialProgress) -> None:
        """Draws the state of the trials."""
        note = f"{progress.requests:,} requests, {progress.failed:,} failed  {progress.now}"
        self._show("objectives", progress.over, progress.total, note)

    def load(self, progress: LoadProgress) -> None:
        """Draws the state of a load run, or how long it is until it starts."""
        if progress.elapsed_s < 0:
            starts_in = f"starts in {format_duration_ns(round(-progress.elapsed_s) * 1e9)}"
            self._show("load", 0, progress.duration_s, starts_in)
            return
        parts = [f"{progress.rate_per_s:,.0f}/s"]
        if progress.p50_ns is not None and progress.p95_ns is not None:
            p50, p95 = format_duration_ns(progress.p50_ns), format_duration_ns(progress.p95_ns)
            parts.append(f"p50 {p50} p95 {p95}")
        parts.append(f"{progress.errors:,} errors")
        if progress.users is not None:
            parts.append(f"{progress.users} users")
        if progress.queued:
            parts.append(f"{progress.queued:,} waiting for a connection")
        self._show(self.doing, progress.elapsed_s, progress.duration_s, ", ".join(parts))

    def comparison(self, progress: CompareProgress) -> None:
        """Draws the state of a comparison."""
        self._show("compare", progress.done, progress.total, progress.now)

    def say(self, sentence: str) -> None:
        """One line that stays, above the live one."""
        if not self._quiet:
            self._bar.console.print(sentence, highlight=False, markup=False)

    def _show(self, what: str, done: float, total: float, note: str) -> None:
        self._bar.update(
            self._task, description=what, completed=done, total=total or None, note=note
        )
        now_s = time.monotonic()
        if self._live or self._quiet or now_s - self._spoke_s < _PLAIN_EVERY_S:
            return
        self._spoke_s = now_s
        share = f"{done / total:.0%} " if total else ""
        sys.stderr.write(f"{what}: {share}{note}\n")
        sys.stderr.flush()
