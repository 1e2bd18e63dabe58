"""What the processes of one load have reported, and what became of them. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from itertools import chain

from withstand.load.generator import with_lagging
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.merge import merge_measurements
from withstand.load.progress import Progress
from withstand.load.window import Window
from withstand.stats.histogram import merged
from withstand.units import format_duration_ns, format_share

_RECENT_WINDOWS = 2  # that of now, and the one before it


class Crew:
    """The books of `size` processes that share a load, which are numbered from 1.

    `profile` is the whole load as a person reads it. Each process has a journal, so what it had
    reported outlives it.
    """

    def __init__(self, *, profile: str, size: int) -> None:
        self._profile = profile
        self._size = size
        self._journals: dict[int, Journal] = {}
        self._last: dict[int, LoadMeasurement] = {}
        self._operations: defaultdict[int, dict[str, OperationMeasurement]] = defaultdict(dict)
        self._progress: dict[int, Progress] = {}
        self._changed: defaultdict[str, set[int]] = defaultdict(set)
        self._lost: dict[int, str] = {}

    def apply(self, number: int, snapshot: LoadMeasurement) -> None:
        """Take in a process's next snapshot, or the part of it with one operation."""
        self._size = max(self._size, number)  # one more may have joined
        self._journals.setdefault(number, Journal()).apply(snapshot)
        self._last[number] = snapshot
        self._operations[number].update(snapshot.operations)
        for name, operation in snapshot.operations.items():
            self._changed[name].update(window.second for window in operation.windows)

    def progressed(self, number: int, progress: Progress) -> None:
        """Take in how far a process is."""
        self._progress[number] = progress

    def lose(self, number: int, what: str, at_s: float) -> None:
        """A process is gone before its time: `what` happened to it, seconds after the start."""
        if (last := self._progress.get(number)) is not None:
            users = None if last.users is None else 0
            self._progress[number] = replace(
                last, rate_per_s=0.0, in_flight=0, queued=0, users=users
            )
        self._lost[number] = (
            f"process {number} of {self._size} {what} {format_duration_ns(max(at_s, 0) * 1e9)} "
            f"after the start, and {format_share(1 / self._size)} of the load with it"
        )

    @property
    def lost(self) -> str | None:
        """What became of the processes that are gone; None when none is."""
        return "; ".join(self._lost[number] for number in sorted(self._lost)) or None

    def measurement(self) -> LoadMeasurement | None:
        """All that was reported, of all processes together; None before the first snapshot."""
        parts = [self._journals[number].measurement() for number in sorted(self._journals)]
        whole = self._together(part for part in parts if part is not None)
        return None if whole is None else with_lagging(whole)

    def snapshot(self, *, last: bool = False) -> LoadMeasurement | None:
        """What changed since the last one, of all processes together, as `Journal` takes it in.

        It reaches as far as what is known of every process that still runs; the `last` one as far
        as the whole.
        """
        changed, self._changed = self._changed, defaultdict(set)
        oldest = min(chain.from_iterable(changed.values()), default=0)
        parts = []
        for number, known in sorted(self._last.items()):
            windows = self._journals[number].windows_since(oldest)
            operations = {
                name: OperationMeasurement(
                    operation=name,
                    bytes_sent=operation.bytes_sent,
                    windows=tuple(each for each in windows[name] if each.second in changed[name]),
                )
                for name, operation in self._operations[number].items()
            }
            parts.append(replace(known, operations=operations))
        whole = self._together(parts)
        reached_s = [each.duration_s for n, each in self._last.items() if n not in self._lost]
        if whole is None or last or not reached_s:
            return whole
        return replace(whole, duration_s=min(reached_s))

    def progress(self) -> Progress | None:
        """How far the load is, all processes together; None until each has said something."""
        parts = [self._progress[number] for number in sorted(self._progress)]
        if not parts or len(self._progress.keys() | self._lost.keys()) < self._size:
            return None
        response_time = merged(window.response_time for window in self._recent())
        users = [part.users for part in parts if part.users is not None]
        return Progress(
            elapsed_s=max(part.elapsed_s for part in parts),
            duration_s=max(part.duration_s for part in parts),
            completed=sum(part.completed for part in parts),
            errors=sum(part.errors for part in parts),
            rate_per_s=sum(part.rate_per_s for part in parts),
            p50_ns=response_time.quantile(0.5),
            p95_ns=response_time.quantile(0.95),
            in_flight=sum(part.in_flight for part in parts),
            queued=sum(part.queued for part in parts),
            users=sum(users) if users else None,
        )

    def _recent(self) -> Iterable[Window]:
        """The newest windows of every operation of every process that still runs."""
        for number, operations in self._operations.items():
            windows = [window for each in operations.values() for window in each.windows]
            newest = max((window.second for window in windows), default=0)
            for window in windows:
                if number not in self._lost and newest - window.second < (
                    _RECENT_WINDOWS * window.width_s
                ):
                    yield window

    def _together(self, parts: Iterable[LoadMeasurement]) -> LoadMeasurement | None:
        measured = tuple(replace(part, profile=self._profile) for part in parts)
        if not measured:
            return None
        whole = reduce(merge_measurements, measured)
        saturated = [each.generator.saturated for each in measured if each.generator.saturated]
        also = f" (and so for {len(saturated) - 1} more of its processes)"
        generator = replace(
            whole.generator,
            processes=self._size,
            saturated=saturated[0] + also * (len(saturated) > 1) if saturated else None,
            lost=self.lost,
        )
        return replace(whole, generator=generator)
