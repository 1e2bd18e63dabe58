"""APIs in which people see things of one another on purpose give a scan nothing to say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from benchmarks.scan.one_scan import Scanned
from benchmarks.scan.one_scan import scanned as scanned_by_settings

from tests.scan.checks.tiny_api import identities, state
from tests.scan.checks.tiny_api import scanned as scanned_in_memory
from tests.scan.served_example import served
from tests.scan.well_built import PATTERNS, Pattern, Things, everybody, own, paths
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import all_checks
from withstand.scan.examples import answer
from withstand.scan.records.record import CoverageState

AUTHORISATION = tuple(check for check in all_checks() if check.family == "authorisation")
READ = "object-readable-by-other-user"


def over_a_socket(pattern: Pattern) -> Scanned:
    """The pattern on a port of this machine, scanned as `withstand scan` does."""
    server = pattern.server()
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shared", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": pattern.paths,
    }

    def with_document(request: Request) -> Response:
        described = request.operation_path == "/openapi.json"
        return answer(200, document) if described else server(request)

    with served(with_document) as api:
        return scanned_by_settings(
            f"""
            [target]
            base_url = "{api.url}"
            openapi = "/openapi.json"
            [identities]
            alice = {{ role = "user", token = "alice-token" }}
            bob = {{ role = "user", token = "bob-token" }}
            root = {{ role = "admin", token = "root-token" }}
            """,
            without=("version-banner",),  # what Python's server says of itself
            profile="ci",
        )


@pytest.mark.parametrize("name", PATTERNS)
def test_what_people_share_on_purpose_is_no_finding(name: str) -> None:
    pattern = PATTERNS[name]
    record, _ = scanned_in_memory(pattern.server(), pattern.paths, checks=AUTHORISATION)

    assert record.findings == ()
    assert record.void is None
    assert any(row.state is CoverageState.PASSED for row in record.coverage)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "a feed that an author filters",
        "a team's list that shows its first page",
        "a marketplace",
        "comments under articles",
        "profiles for who is logged in",
    ],
)
def test_every_check_is_silent_about_it_over_a_socket(name: str) -> None:
    scan = over_a_socket(PATTERNS[name])

    assert scan.findings == set()
    assert scan.record.void is None


@pytest.mark.parametrize("name", ["boards", "tasks"])
def test_what_others_reach_and_are_shown_nowhere_is_found(name: str) -> None:
    """A list that ends before the newest one excuses nothing where lists have nothing in common."""
    server = Things(name=name, sees=everybody, changes=everybody, lists=own, seeded=40, first=5)
    record, _ = scanned_in_memory(server, paths(name, "put", "delete"), checks=AUTHORISATION)

    assert {finding.check for finding in record.findings} == {
        READ,
        "object-changeable-by-other-user",
        "object-deletable-by-other-user",
    }


def test_two_administrators_are_no_pair_where_there_are_users() -> None:
    def own_or_an_administrators(name: str, thing: Mapping[str, Any]) -> bool:
        return name in {"alice", "bob"} or own(name, thing)

    server = Things(name="letters", sees=own_or_an_administrators, changes=own)
    alice, bob, root = identities()
    administrators = replace(alice, role="admin"), replace(bob, role="admin")
    user = replace(root, role="user")
    document = paths("letters", listed=False)

    what, reason = state(
        READ, server, document, "GET /letters/{id}", people=(*administrators, user)
    )
    assert what is CoverageState.SKIPPED
    assert "NOT tested" in reason
