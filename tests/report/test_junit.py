"""A JUnit file with one test case for each check and operation, also of hostile texts."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.report import sample, scan_sample
from tests.report.settled_sample import settled
from withstand.report.junit import WHOLE_API, render_junit
from withstand.results import Results
from withstand.scan.records.record import CoverageState


def suite_of(results: Results) -> ET.Element:
    root = ET.fromstring(render_junit(results).encode())
    (suite,) = root
    for counted in (root, suite):
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(counted.get(name, "")) == len(suite.findall(f"testcase/{kind}"))
        assert int(counted.get("tests", "")) == len(suite.findall("testcase"))
    return suite


def case_of(suite: ET.Element, check: str, operation: str) -> ET.Element:
    (found,) = (
        case
        for case in suite.findall("testcase")
        if (case.get("name"), case.get("classname")) == (check, operation)
    )
    return found


def test_every_cell_that_concerns_its_operation_is_one_test_case() -> None:
    results = sample.scan_only()
    assert results.scan is not None
    cells = {
        (cell.check, cell.operation or WHOLE_API)
        for cell in results.scan.coverage
        if cell.state is not CoverageState.NOT_APPLICABLE
    }
    cases = suite_of(results).findall("testcase")
    assert {(case.get("name"), case.get("classname")) for case in cases} == cells
    assert len(cases) == len(cells)


def test_a_failure_carries_the_proof_and_the_curl_line() -> None:
    results = sample.scan_only()
    failing = results.failing_findings()[0]
    case = case_of(suite_of(results), failing.check, failing.operations[0])
    failure = case.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert failing.title in (failure.get("message") or "")
    assert failing.fingerprint in failure.text
    assert failing.proof is not None
    assert failing.proof.curl.splitlines()[0][:60] in failure.text


def test_what_fails_no_run_fails_no_test_and_is_said() -> None:
    results = settled()
    assert results.scan is not None
    suite = suite_of(results)
    (known,), (accepted,) = results.scan.known, results.scan.suppressed
    for finding, said in (
        (known, "known, in withstand-baseline.json"),
        (accepted.finding, "accepted: behind the proxy (until 2027-06-30)"),
    ):
        case = case_of(suite, finding.check, finding.operations[0])
        assert case.find("failure") is None
        assert said in (case.findtext("system-out") or "")
    assert "held until 2026-01-31" in (suite.findtext("system-out") or "")
    assert len(suite.findall("testcase/failure")) == sum(
        len(each.operations) for each in results.failing_findings()
    )


def test_what_could_not_be_told_is_skipped_and_an_error_when_strict() -> None:
    results = sample.scan_only()
    case = case_of(suite_of(results), "sql-injection", "GET /orders")
    skipped = case.find("skipped")
    assert skipped is not None
    assert "503 Service Unavailable" in (skipped.get("message") or "")
    strict = case_of(suite_of(replace(results, strict=True)), "sql-injection", "GET /orders")
    assert strict.find("error") is not None


@pytest.mark.parametrize(
    "results", [sample.with_detail(scan_sample.HOSTILE_BODY), sample.load_only()]
)
def test_no_text_breaks_the_file(results: Results) -> None:
    suite_of(results)


def test_a_void_scan_is_an_error() -> None:
    (case, *_) = suite_of(sample.void()).findall("testcase")
    error = case.find("error")
    assert error is not None
    assert "alice cannot log in" in (error.get("message") or "")


def test_every_verdict_on_an_objective_is_a_test_case() -> None:
    results = replace(sample.sample(), scan=None)
    suite = suite_of(results)
    verdicts = results.verdicts()
    assert len(suite.findall("testcase")) == len(verdicts)
    breached = results.breached()
    assert len(suite.findall("testcase/failure")) == len(breached) > 0
    case = case_of(suite, breached[0].objective.text, breached[0].operation)
    failure = case.find("failure")
    assert failure is not None
    assert breached[0].reason in (failure.get("message") or "")
