"""What a run in shards and the same run in one piece do not agree on. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Final

from withstand.load.measurement import LoadMeasurement
from withstand.results import Results

_SHOWN: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A run in one piece and in shards: tests and scan, and the load by itself."""

    whole: Results
    merged: Results
    whole_load: Results
    merged_load: Results
    part_loads: list[Results]


def differences(rehearsed: Rehearsed) -> list[str]:
    """One sentence for each; none where the shards were the whole."""
    return [
        f"{what}: {_short(one)} in one piece, {_short(other)} in shards"
        for what, one, other in _figures(rehearsed)
        if one != other
    ]


def _figures(run: Rehearsed) -> Iterator[tuple[str, Any, Any]]:
    """What is compared, of the run in one piece, of the run in shards."""
    for what, figure in _FIGURES.items():
        yield what, figure(run.whole), figure(run.merged)
    whole, merged = _load(run.whole_load), _load(run.merged_load)
    parts = [_load(each) for each in run.part_loads]
    yield "void load", run.whole_load.void_reasons(), run.merged_load.void_reasons()
    yield "requests sent", _sent(whole), _sent(merged)
    # Times are never the same twice, so the histograms of the shards are held against their sum.
    for operation, measured in merged.operations.items():
        for clock in ("response_time", "service_time"):
            summed = reduce(add, (getattr(part.operations[operation], clock) for part in parts))
            yield f"{clock} of {operation}", summed, getattr(measured, clock)


def _outcomes(results: Results) -> dict[str, str]:
    assert results.suite is not None, "the suite was run"
    return {each.nodeid: each.outcome.value for each in results.suite.finished()}


def _collected(results: Results) -> set[str]:
    assert results.suite is not None, "the suite was run"
    return {member.nodeid for member in results.suite.collected}


def _coverage(results: Results) -> dict[tuple[str, str | None], str]:
    assert results.scan is not None, "there was a scan"
    return {(cell.check, cell.operation): cell.state.value for cell in results.scan.coverage}


def _findings(results: Results) -> dict[str, set[str]]:
    return {finding.fingerprint: set(finding.operations) for finding in results.findings()}


def _access(results: Results) -> dict[str, list[tuple[str, str]]]:
    assert results.scan is not None, "there was a scan"
    return {
        row.operation: [(cell.column, cell.observed.value) for cell in row.cells]
        for row in results.scan.access
    }


_FIGURES: Final[dict[str, Callable[[Results], Any]]] = {
    "exit code": Results.exit_code,
    "void": Results.void_reasons,
    "tests collected": _collected,
    "outcomes of tests": _outcomes,
    "coverage": _coverage,
    "findings": _findings,
    "access": _access,
}


def _load(results: Results) -> LoadMeasurement:
    assert results.load is not None, "there was a load"
    return results.load


def _sent(load: LoadMeasurement) -> tuple[int, int, dict[str, int]]:
    counts = {operation: each.requests for operation, each in load.operations.items()}
    return load.offered, load.sent, counts


def _short(figure: Any) -> str:
    text = repr(figure)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
