"""A run into the history, and the same Results out of it again."""

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from withstand.errors import UsageError
from withstand.history.database import changing
from withstand.history.machine import Machine
from withstand.history.retention import Retention, prune
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.stress import StressMeasurement
from withstand.load.window import Window, unpacked
from withstand.results import Results
from withstand.results_file import from_json, to_json
from withstand.slo.warm_up import judged


class Kind(StrEnum):
    """What a run was."""

    LOAD = "load"
    STRESS = "stress"
    SOAK = "soak"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where and on what a run was made. `now` is in Unix seconds."""

    machine: Machine
    calibration_ns: int
    commit: str | None
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run of the history, without what it measured. `flaw` says why it is part of no trend."""

    run: int
    kind: str
    started_at: float
    version: str
    commit: str | None
    target: str
    shape: str
    machine: str
    machine_text: str
    calibration_ns: int
    offered_per_s: float | None
    achieved_per_s: float | None
    warm_up_s: int
    sustainable_per_s: float | None
    flaw: str | None


def remember(
    connection: sqlite3.Connection,
    results: Results,
    *,
    kind: Kind,
    at: Circumstances,
    retention: Retention | None = None,
) -> int:
    """Write a run with load or trials, and forget what is not kept, in one transaction. Its number.

    The scan is left out: a history holds figures, no exchanges. Raises ValueError without either.
    """
    if not has_figures(results):
        raise ValueError("a run without load or trials has nothing that a history remembers")
    results = replace(results, scan=None)
    row = {
        name: _stored(value) if isinstance(value, str) else value
        for name, value in _row(results, kind, at).items()
    }
    columns = ", ".join(row)
    places = ", ".join("?" * len(row))
    windows = list(_windows(results))  # packed before the transaction, which others wait for
    with changing(connection):
        connection.execute(
            "INSERT OR IGNORE INTO machines VALUES (?, ?)",
            (at.machine.fingerprint, at.machine.description),
        )
        run = connection.execute(
            f"INSERT INTO runs ({columns}) VALUES ({places})",  # noqa: S608 - names of this file
            tuple(row.values()),
        ).lastrowid
        assert run is not None
        connection.executemany(
            "INSERT INTO operations VALUES (?, ?, ?, ?, ?)",
            [(run, *operation) for operation in _operations(results)],
        )
        connection.executemany(
            "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(run, *window) for window in windows],
        )
        if retention is not None:
            prune(connection, retention, now=at.now)
    return run


def has_figures(results: Results) -> bool:
    """Whether there is something of a run to remember."""
    return not (results.load is None and results.stress is None and results.trials is None)


def read_run(connection: sqlite3.Connection, run: int) -> Results:
    """The Results of a run as they were, without its scan. Raises UsageError for no such run."""
    row = connection.execute("SELECT document FROM runs WHERE run = ?", (run,)).fetchone()
    if row is None:
        raise _no_run(run)
    stored = from_json(zlib.decompress(row[0]).decode("ascii"), source=f"run {run} of the history")
    windows: dict[tuple[int, str], list[Window]] = {}
    for step, operation, counts in connection.execute(
        "SELECT step, operation, counts FROM windows WHERE run = ? ORDER BY step, second", (run,)
    ):
        windows.setdefault((step, operation), []).append(unpacked(counts))
    return _with_windows(stored, windows)


def summaries(connection: sqlite3.Connection, *, most: int) -> tuple[RunSummary, ...]:
    """The newest runs, the newest first."""
    return _summaries(
        connection.execute(f"{_SUMMARY} ORDER BY started_at DESC, run DESC LIMIT ?", (most,))
    )


def summary(connection: sqlite3.Connection, run: int) -> RunSummary:
    """One run. Raises UsageError where there is none."""
    found = _summaries(connection.execute(f"{_SUMMARY} WHERE run = ?", (run,)))
    if not found:
        raise _no_run(run)
    return found[0]


_SUMMARY = (
    "SELECT run, kind, started_at, version, commit_id, target, shape, machine, description, "
    "calibration_ns, offered_per_s, achieved_per_s, warm_up_s, sustainable_per_s, flaw "
    "FROM runs JOIN machines ON fingerprint = machine"
)


def _summaries(rows: sqlite3.Cursor) -> tuple[RunSummary, ...]:
    names = RunSummary.__slots__
    return tuple(RunSummary(**dict(zip(names, row, strict=True))) for row in rows)


def shape_of(results: Results) -> str:
    """Under what a run's figures were taken: runs of another load are not compared with it."""
    if results.load is not None:
        return f"{results.load.profile}, {results.load.model} model"
    if results.stress is None:
        return "requests one after the other"
    promises = ", ".join(
        each.text if each.operation == "*" else f"{each.operation}: {each.text}"
        for each in results.objectives
    )
    return f"search for the rate that meets {promises}"


def flaw_of(results: Results) -> str | None:
    """Why the figures of a run say nothing about the API as a whole run does; None when they do."""
    if reasons := results.untrusted_reasons():
        return reasons[0]
    if results.aborted is not None:
        return f"it was aborted because {results.aborted}"
    return "it was interrupted" if results.interrupted else None


def _row(results: Results, kind: Kind, at: Circumstances) -> dict[str, object]:
    load, stress, found = results.load, results.stress, results.capacity()
    seconds = load.duration_s if load is not None else 0.0
    ended = sum(each.requests for each in load.operations.values()) if load is not None else 0
    return {
        "kind": kind.value,
        "started_at": results.started_at,
        "version": results.version,
        "commit_id": at.commit,
        "target": results.base_url,
        "shape": shape_of(results),
        "machine": at.machine.fingerprint,
        "calibration_ns": at.calibration_ns,
        "offered_per_s": load.offered / seconds if load is not None and seconds else None,
        "achieved_per_s": ended / seconds if seconds else None,
        "warm_up_s": load.warm_up_s if load is not None else _warm_up_s(stress),
        "sustainable_per_s": found.sustainable_per_s if found is not None else None,
        "flaw": flaw_of(results),
        "document": zlib.compress(to_json(_without_windows(results)).encode("ascii"), 9),
    }


def _stored(text: str) -> str:
    """A text as SQLite takes it: what is no Unicode (a lone surrogate in a path that somebody made
    up) is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _warm_up_s(stress: StressMeasurement | None) -> int:
    return stress.plan.warm_up_windows if stress is not None else 0


def _operations(results: Results) -> Iterator[tuple[str, int, int, str]]:
    """What is judged of a load, or was tried. Steps of a search have rates of their own: there is
    no trend.
    """
    if results.load is None and results.trials is not None:
        for name in results.trials.operations:
            tried, good = results.trials.requests(name), results.trials.service_times(name)
            yield _stored(name), tried, tried - good.count, good.to_compact()
    if results.load is None:
        return
    for name, measured in judged(results.load).operations.items():
        times = measured.response_time.to_compact()
        yield _stored(name), measured.requests, measured.errors, times


def _windows(results: Results) -> Iterator[tuple[int, str, int, int, int, int, bytes]]:
    for step, load in enumerate(_loads(results)):
        for name, measured in load.operations.items():
            for window in measured.windows:
                yield (
                    *(step, _stored(name), window.second, window.width_s),
                    *(window.requests, window.errors, window.packed()),
                )


def _loads(results: Results) -> tuple[LoadMeasurement, ...]:
    """The load, or the loads of a search's steps in order."""
    steps = results.stress.steps if results.stress is not None else ()
    return tuple(step.load for step in steps) if results.load is None else (results.load,)


def _without_windows(results: Results) -> Results:
    return _with_windows(results, {})


def _with_windows(results: Results, windows: Mapping[tuple[int, str], Sequence[Window]]) -> Results:
    def filled(step: int, load: LoadMeasurement) -> LoadMeasurement:
        operations: dict[str, OperationMeasurement] = {
            name: replace(measured, windows=tuple(windows.get((step, _stored(name)), ())))
            for name, measured in load.operations.items()
        }
        return replace(load, operations=operations)

    if results.load is not None:
        return replace(results, load=filled(0, results.load))
    if results.stress is None:
        return results  # trials keep their durations one by one
    steps = tuple(
        replace(step, load=filled(number, step.load))
        for number, step in enumerate(results.stress.steps)
    )
    return replace(results, stress=replace(results.stress, steps=steps))


def _no_run(run: int) -> UsageError:
    return UsageError(
        f"the history has no run {run}", hint="`withstand history runs` lists those it has"
    )
