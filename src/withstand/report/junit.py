"""Scan and objectives as a JUnit file, which every CI system shows. Pure.

One test case for each check on each operation that it concerns: failed where a finding fails the
run, skipped with the reason where it could not be told. Accepted, known and minor findings pass,
and their output says what was found. One more for each verdict on an objective, and an error for
each test of a suite that has no result; the others are in the file that pytest writes.
"""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from withstand.report.finding_text import finding_text
from withstand.report.scan_wording import accepted_until, upkeep
from withstand.report.wording import COVERAGE_WORD, observation, printable
from withstand.results import Results, why_nothing
from withstand.scan.finding import Finding
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord
from withstand.sharding.suite import SuiteRecord
from withstand.slo import VerdictState

WHOLE_API: Final = "the whole API"
_LONGEST_TEXT: Final = 10_000


def render_junit(results: Results) -> str:
    """The run as the text of a JUnit XML file; one without scan and objectives has no test case.

    With `strict` what could not be told is an error. A void run is one error of its own.
    """
    scan = results.scan
    cases = [*_void(results), *(() if scan is None else _cases(results, scan))]
    cases += _objectives(results)
    cases += _tests(results.suite) if results.suite is not None else ()
    failures, errors, skipped = (
        sum(f"<{kind} " in case for case in cases) for kind in ("failure", "error", "skipped")
    )
    counts = (
        f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}" '
        f'time="{results.duration_s:.3f}"'
    )
    body = "\n".join(cases)
    notes = "\n".join(upkeep(results))
    said = f"<system-out>{_text(notes)}</system-out>\n" if notes else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<testsuites name="withstand" {counts}>\n<testsuite name="withstand" {counts}>\n'
        f"{body}\n{said}</testsuite>\n</testsuites>\n"
    )


def _void(results: Results) -> Iterator[str]:
    void = [("the run is void", reason) for reason in why_nothing(results.void_runs)]
    if results.scan is not None and results.scan.void is not None:
        void.append(("the scan is void", results.scan.void))
    for name, reason in void:
        said = f"<error message={_attribute(reason)} />"
        yield f'<testcase classname="withstand" name="{name}">{said}</testcase>'


def _cases(results: Results, scan: ScanRecord) -> Iterator[str]:
    for cell in scan.coverage:
        if cell.state is CoverageState.NOT_APPLICABLE:
            continue
        place = cell.operation if cell.operation is not None else WHOLE_API
        names = f"classname={_attribute(place)} name={_attribute(cell.check)}"
        yield f"<testcase {names}>{_outcome(results, scan, cell)}</testcase>"


def _objectives(results: Results) -> Iterator[str]:
    for verdict in results.verdicts():
        message = f"message={_attribute(f'{verdict.reason}; {observation(verdict)}')}"
        said = ""
        if verdict.state is VerdictState.BREACHED:
            said = f'<failure type="breached" {message} />'
        elif verdict.state is VerdictState.INCONCLUSIVE:
            said = f"<{'error' if results.strict else 'skipped'} {message} />"
        names = (
            f"classname={_attribute(verdict.operation)} name={_attribute(verdict.objective.text)}"
        )
        yield f"<testcase {names}>{said}</testcase>"


def _tests(suite: SuiteRecord) -> Iterator[str]:
    for nodeid in suite.without_result():
        place, _, name = nodeid.partition("::")
        names = f"classname={_attribute(place)} name={_attribute(name)}"
        yield f'<testcase {names}><error message="no result" /></testcase>'


def _outcome(results: Results, scan: ScanRecord, cell: Coverage) -> str:
    if cell.state is CoverageState.FAILED:
        return _found(results, scan, cell)
    if cell.state is CoverageState.PASSED:
        return ""
    message = f"message={_attribute(f'{COVERAGE_WORD[cell.state]}: {cell.reason}')}"
    if results.strict and cell.state is CoverageState.INCONCLUSIVE:
        return f"<error {message} />"
    return f"<skipped {message} />"


def _found(results: Results, scan: ScanRecord, cell: Coverage) -> str:
    standing = [each for each in results.findings() if _concerns(each, cell)]
    failing = [each for each in standing if results.fails(each)]
    set_aside = [
        *(f"does not fail the run\n{finding_text(f)}" for f in standing if f not in failing),
        *(
            f"known, in {scan.baseline_file}\n{finding_text(each)}"
            for each in scan.known
            if _concerns(each, cell)
        ),
        *(
            f"accepted: {accepted_until(each)}\n{finding_text(each.finding)}"
            for each in scan.suppressed
            if _concerns(each.finding, cell)
        ),
    ]
    said = f"<system-out>{_text(chr(10).join(set_aside))}</system-out>" if set_aside else ""
    if not failing:
        return said
    worst = failing[0]
    message = _attribute(f"{worst.severity}: {worst.title}: {worst.detail}"[:1_000])
    text = _text("\n\n".join(finding_text(each) for each in failing))
    return f"<failure type={_attribute(worst.check)} message={message}>{text}</failure>{said}"


def _concerns(finding: Finding, cell: Coverage) -> bool:
    if finding.check != cell.check:
        return False
    return cell.operation is None or cell.operation in finding.operations


def _text(text: str) -> str:
    shown = printable(text)
    if len(shown) > _LONGEST_TEXT:
        shown = f"{shown[:_LONGEST_TEXT]}\n… {len(shown) - _LONGEST_TEXT:,} characters more"
    return escape(shown)


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
