"""The findings of a scan as SARIF 2.1.0, for code scanning. Pure.

OASIS, Static Analysis Results Interchange Format 2.1.0 with Errata 01; what GitHub wants and the
limits that make it refuse a file are in "SARIF support for code scanning" (GitHub Docs): at most
25,000 results in a run and 10 MB compressed, a place within the repository for each result, and a
fingerprint, by which an alert is the same one from run to run.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from withstand.report.finding_text import curl_of, cut, finding_text
from withstand.report.scan_wording import accepted_until, upkeep
from withstand.report.source_line import described_by
from withstand.report.wording import plural, printable
from withstand.results import Conclusion, Results
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.records.merge import badness
from withstand.scan.records.record import Described, ScanRecord, SuppressedFinding

MOST_RESULTS: Final = 25_000
MOST_BYTES: Final = 9_000_000  # of text, which is far less when compressed
_MOST_PLACES: Final = 100  # of one result; GitHub shows the first
_MOST_TAGS: Final = 20
_LONGEST_MESSAGE: Final = 4_000
_LONGEST_DESCRIPTION: Final = 1_024

_LEVEL: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# The middle of what GitHub calls by the same name: over 9.0, 7.0 to 8.9, 4.0 to 6.9, 0.1 to 3.9.
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.1",
}
_PRECISION: Final = {
    Confidence.CERTAIN: "very-high",
    Confidence.FIRM: "high",
    Confidence.TENTATIVE: "low",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A finding, and what the team has said about it."""

    finding: Finding
    state: str | None
    accepted: SuppressedFinding | None = None


def render_sarif(
    results: Results, *, most_results: int = MOST_RESULTS, most_bytes: int = MOST_BYTES
) -> str:
    """The findings of the run's scan as one SARIF file with one run; without a scan it has none.

    Known findings are `unchanged`, accepted ones carry their suppression. Over the limits the
    least bad findings are left out, and a notification says how many.
    """
    scan = results.scan
    shown = tuple(_shown(scan)) if scan is not None else ()
    rules = {each.finding.check: at for at, each in enumerate(_by_rule(shown))}
    described = described_by(scan)
    kept, bytes_kept = [], 0
    for each in shown[:most_results]:
        result = _result(each, rules, described)
        bytes_kept += len(json.dumps(result))
        if bytes_kept > most_bytes:
            break
        kept.append(result)
    run = {
        "tool": {
            "driver": {
                "name": "Withstand",
                "version": results.version,
                "semanticVersion": results.version,
                "rules": [_rule(name, shown) for name in rules],
            }
        },
        "automationDetails": {"id": "withstand/security/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [_invocation(results, left_out=len(shown) - len(kept))],
        "results": kept,
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=1) + "\n"


def _shown(scan: ScanRecord) -> Iterator[_Shown]:
    """All findings, those that stand first."""
    fresh = "new" if scan.baseline_file is not None else None
    for finding in sorted(scan.findings, key=badness):
        yield _Shown(finding=finding, state=fresh)
    for finding in sorted(scan.known, key=badness):
        yield _Shown(finding=finding, state="unchanged")
    for accepted in scan.suppressed:
        yield _Shown(finding=accepted.finding, state=fresh, accepted=accepted)


def _by_rule(shown: Iterable[_Shown]) -> Iterator[_Shown]:
    """The first of each check."""
    seen: set[str] = set()
    for each in shown:
        if each.finding.check not in seen:
            seen.add(each.finding.check)
            yield each


def _rule(name: str, shown: Iterable[_Shown]) -> dict[str, Any]:
    findings = [each.finding for each in shown if each.finding.check == name]
    first = findings[0]
    worst = max((finding.severity for finding in findings), key=lambda each: each.rank)
    surest = min(findings, key=lambda each: list(Confidence).index(each.confidence)).confidence
    references = ", ".join(first.references)
    said = _line(first.remedy)
    explain = f"withstand explain {name}"
    rule: dict[str, Any] = {
        "id": name,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "shortDescription": {"text": cut(_line(first.title), _LONGEST_DESCRIPTION)},
        "fullDescription": {
            "text": cut(f"{_line(first.title)}. {said}", _LONGEST_DESCRIPTION),
        },
        "help": {
            "text": f"{said}\n\nReferences: {references}\n\nMore: {explain}",
            "markdown": f"{said}\n\n{_links(first.references)}\n\nMore: `{explain}`",
        },
        "defaultConfiguration": {"level": _LEVEL[worst]},
        "properties": {
            "tags": _tags(first.references),
            "security-severity": _SECURITY_SEVERITY[worst],
            "precision": _PRECISION[surest],
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
                _LEVEL[worst]
            ],
        },
    }
    if cwes := _cwes(first.references):
        rule["helpUri"] = _cwe_address(cwes[0])
    return rule


def _result(shown: _Shown, rules: dict[str, int], described: Described) -> dict[str, Any]:
    finding = shown.finding
    operations = finding.operations[:_MOST_PLACES] or ("",)
    places = [_location(operation, described) for operation in operations]
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rules[finding.check],
        "level": _LEVEL[finding.severity],
        # What a server sent must not become a link of the message (SARIF 2.1.0, 3.11.6).
        "message": {"text": cut(finding_text(finding), _LONGEST_MESSAGE).replace("](", "] (")},
        "locations": places[:1],
        "partialFingerprints": {
            # The only one that GitHub uses; it wants this form.
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "withstandFinding/v1": finding.fingerprint,
        },
        "properties": {
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "operations": [printable(key) for key in finding.operations],
        },
    }
    if finding.parameter:
        result["properties"]["parameter"] = printable(finding.parameter)
    if proof := finding.proof:
        result["properties"]["curl"] = printable(curl_of(proof))
    if places[1:]:
        result["relatedLocations"] = [
            {"id": number, **place} for number, place in enumerate(places[1:], start=1)
        ]
    if shown.state is not None:
        result["baselineState"] = shown.state
    if shown.accepted is not None:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": printable(accepted_until(shown.accepted)),
            }
        ]
    return result


def _location(operation: str, described: Described) -> dict[str, Any]:
    line = described.lines.get(operation, 1)
    name = printable(operation) or "the whole API"
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(described.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2},
        },
        "logicalLocations": [{"fullyQualifiedName": name, "kind": "member"}],
        "message": {"text": name},
    }


def _invocation(results: Results, *, left_out: int) -> dict[str, Any]:
    sound = results.conclusion() is not Conclusion.VOID and not results.interrupted
    notes = [*results.void_reasons(), *upkeep(results)]
    if left_out:
        notes.append(f"{plural(left_out, 'finding')} more did not fit: see the results file.")
    return {
        "executionSuccessful": sound,
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": printable(note)}} for note in notes
        ],
    }


def _tags(references: tuple[str, ...]) -> list[str]:
    cwes = [f"external/cwe/cwe-{number:03d}" for number in _cwes(references)]
    owasp = [
        f"external/owasp/{reference.removeprefix('OWASP ').lower().replace(':', '-')}"
        for reference in references
        if reference.startswith("OWASP ")
    ]
    return ["security", *cwes, *owasp][:_MOST_TAGS]


def _links(references: tuple[str, ...]) -> str:
    return "\n".join(
        f"- [{each}]({_cwe_address(number[0])})" if (number := _cwes((each,))) else f"- {each}"
        for each in references
    )


def _cwes(references: Iterable[str]) -> list[int]:
    found = (re.fullmatch(r"CWE-([0-9]+)", reference) for reference in references)
    return [int(match[1]) for match in found if match]


def _cwe_address(number: int) -> str:
    return f"https://cwe.mitre.org/data/definitions/{number}.html"


def _line(text: str) -> str:
    return printable(" ".join(text.split()))
