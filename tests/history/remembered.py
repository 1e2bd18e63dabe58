"""Runs to put into a history: ten seconds of a made-up load, of any speed and at any time."""

from dataclasses import replace
from pathlib import Path

from tests.report import sample
from withstand.history.database import opened
from withstand.history.machine import Machine
from withstand.history.retention import Retention
from withstand.history.runs import Circumstances, Kind, remember
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.window import Window
from withstand.results import Results
from withstand.stats.histogram import Histogram

MS = 1_000_000
DAY_S = 86_400.0
NOW = 1_790_000_000.0
MACHINE = Machine(cpu="Example CPU", cores=2, kernel="Linux 6.1", python="CPython 3.11")
OPERATION = "GET /users"


def run_of(
    p95_ms: float, *, at: float = NOW, operation: str = OPERATION, errors: int = 0
) -> Results:
    """Ten seconds of one operation, whose warm-up (the first second) is ten times as slow."""
    windows = [
        Window(
            second=second,
            response_time=Histogram([round(p95_ms * MS * (10 if second == 0 else 1))] * 20),
            statuses={200: 20 - (errors if second == 5 else 0), 500: errors if second == 5 else 0},
            unexpected=errors if second == 5 else 0,
        )
        for second in range(10)
    ]
    load = replace(
        sample.load(),
        started_at=at,
        duration_s=10.0,
        offered=200,
        sent=200,
        warm_up_s=1,
        operations={operation: OperationMeasurement.of(operation, windows)},
        interrupted=False,
    )
    return replace(sample.load_only(), started_at=at, load=load, objectives=())


def kept(
    path: Path,
    results: Results,
    *,
    kind: Kind = Kind.LOAD,
    machine: Machine = MACHINE,
    commit: str | None = None,
    calibration_ns: int = 1_000_000,
    retention: Retention | None = None,
    now: float = NOW,
) -> int:
    """The number of the run in the history at a path, as which it is remembered."""
    at = Circumstances(machine=machine, calibration_ns=calibration_ns, commit=commit, now=now)
    with opened(path) as connection:
        return remember(connection, results, kind=kind, at=at, retention=retention)


def kept_levels(path: Path, levels_ms: list[float]) -> None:
    """A history of one operation, a run a day."""
    for day, level_ms in enumerate(levels_ms):
        kept(path, run_of(level_ms, at=NOW + day * DAY_S), commit=f"{day:040x}")


def load_of(results: Results) -> LoadMeasurement:
    """The load that is there."""
    assert results.load is not None
    return results.load
