"""A fingerprint names the same finding from run to run, whatever happens around it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.scan.checks.tiny_api import findings
from withstand.errors import UsageError
from withstand.scan.catalogue import all_checks, check_named
from withstand.scan.example_run import example_findings
from withstand.scan.finding import Confidence, Finding, Severity

FLAW = check_named("object-readable-by-other-user")


def a_finding(*operations: str, **more: Any) -> Finding:
    return Finding(
        **{
            "check": "a-flaw",
            "title": "t",
            "severity": Severity.HIGH,
            "confidence": Confidence.FIRM,
            "operations": operations,
            "detail": "d",
            "remedy": "r",
            "evidence": (),
            **more,
        }
    )


def fingerprint(*operations: str, **more: Any) -> str:
    return a_finding(*operations, **more).fingerprint


def scanned(paths: dict[str, Any], **more: Any) -> set[str]:
    """The fingerprints that a scan of the vulnerable example finds."""
    found = findings(FLAW.name, FLAW.example.vulnerable(), paths, **more)
    assert found
    return {each.fingerprint for each in found}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /orders/{id}", "GET /orders/{orderId}"),
        ("GET /orders/{id}", "GET /orders/{id}/"),
        ("GET /a/{x}/b/{y}", "GET /a/{first}/b/{second}"),
        ("GET /files/{name}.{ext}", "GET /files/{n}.{e}"),
    ],
)
def test_renaming_a_path_parameter_changes_no_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


def test_a_finding_on_a_renamed_path_parameter_keeps_its_fingerprint() -> None:
    before = fingerprint("GET /orders/{id}", parameter="path id")
    assert before == fingerprint("GET /orders/{orderId}", parameter="path orderId")
    assert before == fingerprint("GET /orders/{id}", parameter="id")
    assert before != fingerprint("GET /orders/{id}", parameter="query id")


@pytest.mark.parametrize(
    "other",
    [
        {"operations": ("POST /orders/{id}",)},
        {"operations": ("GET /orders",)},
        {"operations": ("GET /orders/{id}/items",)},
        {"check": "other-flaw"},
        {"parameter": "query q"},
        {"parameter": "path 2"},
        {"whole_api": True},
    ],
)
def test_another_flaw_has_another_fingerprint(other: dict[str, Any]) -> None:
    one = a_finding("GET /orders/{id}")
    assert replace(one, **other).fingerprint != one.fingerprint


def test_two_parameters_of_one_path_are_two_findings() -> None:
    path = "GET /orgs/{org}/users/{user}"
    assert fingerprint(path, parameter="path org") != fingerprint(path, parameter="path user")


def test_how_bad_and_how_sure_it_is_is_no_part_of_it() -> None:
    one = a_finding("GET /a")
    other = replace(
        one, severity=Severity.LOW, confidence=Confidence.TENTATIVE, title="u", detail="e"
    )
    assert one.fingerprint == other.fingerprint


def test_the_order_of_operations_is_no_part_of_it() -> None:
    assert fingerprint("GET /a", "GET /b") == fingerprint("GET /b", "GET /a")


@pytest.mark.slow
def test_no_check_of_the_catalogue_puts_a_canary_or_a_host_into_a_fingerprint() -> None:
    for check in all_checks():
        one = example_findings(check)
        other = example_findings(check, base_url="http://127.0.0.1:4242", first=1_000)
        assert {f.fingerprint for f in one} == {f.fingerprint for f in other}, check.name


def test_a_scan_of_a_reordered_document_on_another_host_finds_the_same() -> None:
    paths = FLAW.example.paths
    reordered = dict(reversed(paths.items()))
    assert scanned(paths) == scanned(reordered, base_url="http://127.0.0.1:4242")


def test_a_scan_finds_the_same_when_an_operation_and_an_example_are_new() -> None:
    more = {
        **FLAW.example.paths,
        "/health": {"get": {"responses": {"200": {"description": "fine"}}}},
    }
    assert scanned(FLAW.example.paths) <= scanned(more)


def test_a_scan_finds_the_same_when_the_path_parameter_has_another_name() -> None:
    operation = FLAW.example.paths["/orders/{id}"]["get"]
    renamed = {**operation, "parameters": [{**operation["parameters"][0], "name": "orderId"}]}
    paths = {
        "/orders": FLAW.example.paths["/orders"],
        "/orders/{orderId}": {"get": renamed},
    }
    assert scanned(FLAW.example.paths) == scanned(paths)


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("object-readable-by-other-user", "gets it too"),
        ("object-changeable-by-other-user", "Sent by bob"),
        ("object-deletable-by-other-user", "Sent by bob"),
        ("object-of-other-user-by-parameter", "with the id of"),
        ("old-version-less-guarded", "the older one answers"),
        ("path-variant-bypasses-access", "it is served"),
        ("privileged-property-accepted-on-create", "with the property"),
        ("privileged-property-accepted-on-update", "with the property"),
        ("refusal-leaks-data", "The refusal to"),
        ("token-accepted-after-logout", "after its logout"),
    ],
)
def test_the_request_to_send_again_is_the_attack_and_no_control(name: str, caption: str) -> None:
    (finding, *_) = example_findings(check_named(name))
    assert finding.proof is not None
    assert caption in finding.proof.caption


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("sql", "did you mean sql-injection?"),
        ("sql-injecton", "did you mean sql-injection or"),
        ("nonsens", "`withstand checks` lists them all"),
    ],
)
def test_an_unknown_check_is_answered_with_names_that_are_like_it(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_named(typed)
    assert raised.value.hint is not None
    assert raised.value.hint.startswith(hint)
