"""What the HTML report's template shows, worked out: excerpts, the coverage matrix, load. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Failure, Headers, Request, Response
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.report import wording
from withstand.report.charts import PercentileCurve, percentile_curve, time_series
from withstand.report.wording import COVERAGE_WORD, opening_times, plural, printable
from withstand.results import Results
from withstand.scan.finding import Finding
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord
from withstand.slo import VerdictState
from withstand.slo.capacity_text import rate_text
from withstand.stats.histogram import merged
from withstand.units import format_count, format_duration_ns

_LONGEST_BODY: Final = 6_000
_AROUND_PROOF: Final = 2_000
_MOST_CURVES: Final = 20
WHOLE_API: Final = "whole API"
WHOLE_RUN: Final = "All operations"
Pieces = tuple[tuple[str, bool], ...]
"""A text in pieces; True marks those that are the proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or a response as shown. `cut` says how many characters of the body are not."""

    start: str
    headers: tuple[tuple[str, Pieces], ...]
    body: Pieces
    cut: int


def request_message(request: Request) -> Message:
    """A request as shown."""
    text, cut = _excerpt(_body_text(request.body), None)
    return Message(
        start=printable(f"{request.method} {request.path}"),
        headers=_headers(request.headers, None),
        body=((text, False),) if text else (),
        cut=cut,
    )


def response_message(outcome: Response | Failure, highlight: str | None) -> Message:
    """A response, or why there was none, with the proof marked."""
    if isinstance(outcome, Failure):
        return Message(start=f"no response: {printable(str(outcome))}", headers=(), body=(), cut=0)
    text, cut = _excerpt(_body_text(outcome.body), highlight)
    return Message(
        start=printable(f"{outcome.status} {outcome.reason}".rstrip()),
        headers=_headers(outcome.headers, highlight),
        body=_marked(text, highlight),
        cut=cut,
    )


def reference_link(reference: str) -> str | None:
    """Where a reference can be read; None where the catalogue has no address of its own."""
    kind, _, rest = reference.replace("-", " ", 1).partition(" ")
    number = rest.split(",")[0].split()[0] if rest.split() else ""
    if not number.isdigit():
        return None
    if kind == "CWE":
        return f"https://cwe.mitre.org/data/definitions/{number}.html"
    return f"https://www.rfc-editor.org/rfc/rfc{number}" if kind == "RFC" else None


def _headers(headers: Headers, highlight: str | None) -> tuple[tuple[str, Pieces], ...]:
    return tuple((printable(name), _marked(printable(value), highlight)) for name, value in headers)


def _body_text(body: bytes) -> str:
    return printable(body.decode("utf-8", "replace").replace("\r\n", "\n"))


def _excerpt(text: str, highlight: str | None) -> tuple[str, int]:
    # A proof far down a long body is worth more than the body's beginning.
    if len(text) <= _LONGEST_BODY:
        return text, 0
    at = text.find(printable(highlight)) if highlight else -1
    start = at - _AROUND_PROOF if at > _LONGEST_BODY - _AROUND_PROOF else 0
    return text[start : start + _LONGEST_BODY], len(text) - _LONGEST_BODY


def _marked(text: str, highlight: str | None) -> Pieces:
    proof = printable(highlight) if highlight else ""
    if not text:
        return ()
    if not proof or proof not in text:
        return ((text, False),)
    pieces: list[tuple[str, bool]] = []
    for index, part in enumerate(text.split(proof)):
        if index:
            pieces.append((proof, True))
        if part:
            pieces.append((part, False))
    return tuple(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure beside the verdict. `tone` is good, bad, warn or empty."""

    figure: str
    label: str
    tone: str = ""


def trustworthy(results: Results) -> bool:
    """Whether it is good news when the scan found nothing: it is not void and tested something."""
    void = results.scan is None or results.scan.void is not None
    return not void and bool(results.cells(CoverageState.PASSED))


def tiles(results: Results) -> list[Tile]:
    """The figures that the verdict rests on."""
    made = []
    if results.suite is not None:
        failed, ended = len(results.suite.failed()), len(results.suite.finished())
        good = "" if results.suite.troubles() else "good"
        made.append(
            Tile(
                figure=f"{format_count(ended - failed)} / {format_count(ended)}",
                label="tests without a failure",
                tone="bad" if failed else good,
            )
        )
    if results.scan is not None:
        failing = len(results.failing_findings())
        label = "finding stands" if failing == 1 else "findings stand"
        unfailing = "good" if trustworthy(results) else ""
        made.append(Tile(figure=str(failing), label=label, tone="bad" if failing else unfailing))
        passed, doubtful = (
            len(results.cells(state))
            for state in (CoverageState.PASSED, CoverageState.INCONCLUSIVE)
        )
        made.append(
            Tile(
                figure=format_count(passed), label="test passed" if passed == 1 else "tests passed"
            )
        )
        untested = doubtful + len(results.cells(CoverageState.SKIPPED))
        if untested:
            made.append(Tile(figure=format_count(untested), label="not tested", tone="warn"))
    if (found := results.capacity()) is not None:
        rate = found.sustainable_per_s
        made.append(
            Tile(
                figure="-" if rate is None else rate_text(rate),
                label="sustainable",
                tone="warn" if rate is None else "bad" if found.fails else "good",
            )
        )
        made.append(Tile(figure=str(len(found.steps)), label="rates tried"))
    if verdicts := results.verdicts():
        states = [verdict.state for verdict in verdicts]
        met = states.count(VerdictState.MET)
        tone = "bad" if VerdictState.BREACHED in states else "warn"
        made.append(
            Tile(
                figure=f"{met} / {len(states)}",
                label="objectives met",
                tone="good" if met == len(states) else tone,
            )
        )
    if results.load is not None:
        whole = merged(each.response_time for each in results.load.operations.values())
        requests = sum(each.requests for each in results.load.operations.values())
        made.append(Tile(figure=format_count(requests), label="requests of load"))
        if (p95 := whole.quantile(0.95)) is not None:
            made.append(Tile(figure=format_duration_ns(p95), label="p95, all operations"))
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Operations by checks. A cell is None where the check does not concern the operation."""

    checks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Coverage | None, ...]], ...]


def matrix(scan: ScanRecord) -> Matrix:
    """The coverage of the checks that concern single operations, as a table. A check that had
    nothing to look at on any of them has no column.
    """
    cells = {
        (cell.check, cell.operation): cell
        for cell in _with_something_to_look_at(scan)
        if cell.operation
    }
    checks = tuple(sorted({check for check, _ in cells}))
    places = dict.fromkeys([*scan.operations, *(operation for _, operation in cells)])
    return Matrix(
        checks=checks,
        rows=tuple(
            (place, tuple(cells.get((check, place)) for check in checks)) for place in places
        ),
    )


def whole_api(scan: ScanRecord) -> tuple[Coverage, ...]:
    """The coverage of the checks that concern the API as a whole, by the check's name, without
    those that had nothing to look at.
    """
    cells = (cell for cell in _with_something_to_look_at(scan) if cell.operation is None)
    return tuple(sorted(cells, key=lambda cell: cell.check))


def _with_something_to_look_at(scan: ScanRecord) -> tuple[Coverage, ...]:
    busy = {cell.check for cell in scan.coverage if cell.state is not CoverageState.NOT_APPLICABLE}
    return tuple(cell for cell in scan.coverage if cell.check in busy)


def cell_title(cell: Coverage) -> str:
    """What a cell of the matrix says in words."""
    said = f"{cell.check} on {cell.operation or 'the whole API'}: {COVERAGE_WORD[cell.state]}"
    return printable(f"{said}: {cell.reason}" if cell.reason else said)


def curves(load: LoadMeasurement) -> list[tuple[str, PercentileCurve]]:
    """The whole run's percentile curve, then the busiest operations'."""
    measured: Mapping[str, Sequence[OperationMeasurement]] = chosen(load)
    drawn = (
        (
            name,
            percentile_curve(
                merged(each.response_time for each in group),
                merged(each.service_time for each in group),
            ),
        )
        for name, group in measured.items()
    )
    return [(name, curve) for name, curve in drawn if curve is not None]


def series(load: LoadMeasurement) -> dict[str, dict[str, list[float | None]]]:
    """The columns of the charts over time, for the whole run and the busiest operations."""
    return {name: time_series(group) for name, group in chosen(load).items()}


def chosen(load: LoadMeasurement) -> dict[str, tuple[OperationMeasurement, ...]]:
    """What the load charts can show: everything together, and each of the busiest operations."""
    operations = tuple(load.operations.values())
    if len(operations) == 1:
        return {printable(operations[0].operation): operations}
    busiest = sorted(operations, key=lambda each: -each.requests)[:_MOST_CURVES]
    return {WHOLE_RUN: operations, **{printable(each.operation): (each,) for each in busiest}}


def load_facts(load: LoadMeasurement) -> list[tuple[str, str, str]]:
    """Whether the generator did what it was asked: label, figure, what it means."""
    facts = wording.load_facts(load)
    return [
        *((label[0].upper() + label[1:], figure, meaning) for label, figure, meaning in facts),
        *(
            (f"{name[0].upper()}{name[1:]}", times, f"of {plural(count, 'connection')}")
            for name, count, times in opening_times(load)
        ),
    ]


def place_of(finding: Finding) -> str:
    """The operations of a finding in a few words."""
    first = printable(finding.operations[0]) if finding.operations else WHOLE_API
    more = len(finding.operations) - 1
    return f"{first} and {more} more" if more > 0 else first
