"""The measurement of a load while it runs, from what its generator reports now and then. Pure.

A snapshot is a `LoadMeasurement` whose operations hold only the windows in which something was
counted since the snapshot before, each as a whole, and whose server samples are the new ones; its
other counts run from the start. So a snapshot that is lost costs nothing but what was counted
after the last one, and what a generator had reported outlives it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from withstand.load.generator import with_lagging
from withstand.load.measurement import LoadMeasurement, OperationMeasurement, ServerSample
from withstand.load.window import Window, unpacked

# Windows this much older than the newest are seldom reported again.
_KEPT_OPEN_S: Final = 60


class _Windows:
    """The windows of one operation; old ones are packed."""

    __slots__ = ("_open", "_packed")

    def __init__(self) -> None:
        self._open: dict[int, Window] = {}
        self._packed: dict[int, bytes] = {}

    def replace(self, windows: tuple[Window, ...]) -> None:
        for window in windows:
            self._packed.pop(window.second, None)
            self._open[window.second] = window
        newest = max(self._open, default=0)
        for second in [each for each in self._open if each + _KEPT_OPEN_S < newest]:
            self._packed[second] = self._open.pop(second).packed()

    def since(self, second: float) -> tuple[Window, ...]:
        packed = [unpacked(data) for start, data in self._packed.items() if start >= second]
        opened = [window for start, window in self._open.items() if start >= second]
        return tuple(sorted((*packed, *opened), key=lambda window: window.second))


class Journal:
    """The snapshots of one generator."""

    def __init__(self) -> None:
        self._last: LoadMeasurement | None = None
        self._bytes_sent: dict[str, int] = {}
        self._windows: dict[str, _Windows] = {}
        self._samples: list[ServerSample] = []

    def apply(self, snapshot: LoadMeasurement) -> None:
        """Take in the next snapshot."""
        self._last = snapshot
        self._samples += snapshot.server_samples
        for name, operation in snapshot.operations.items():
            self._bytes_sent[name] = operation.bytes_sent
            self._windows.setdefault(name, _Windows()).replace(operation.windows)

    def measurement(self) -> LoadMeasurement | None:
        """All that was reported; None before the first snapshot."""
        if self._last is None:
            return None
        operations = {
            name: OperationMeasurement.of(
                name, windows.since(-math.inf), bytes_sent=self._bytes_sent[name]
            )
            for name, windows in self._windows.items()
        }
        return with_lagging(
            replace(self._last, operations=operations, server_samples=tuple(self._samples))
        )

    def windows_since(self, second: int) -> Mapping[str, tuple[Window, ...]]:
        """The windows of each operation that start at a second of the run or later, ascending."""
        return {name: windows.since(second) for name, windows in self._windows.items()}
