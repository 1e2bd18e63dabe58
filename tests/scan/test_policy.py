"""What a scan leaves alone."""

from typing import Any

import pytest

from tests.scan.small_api import PATHS, a_check, answer, nothing, scanned, states
from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.openapi.operation import Operation, Parameter
from withstand.scan.check import Per, Safety
from withstand.scan.policy import Policy, Profile
from withstand.scan.records.record import CoverageState


@pytest.mark.parametrize(
    "policy", [Policy(never=("POST /users",)), Policy(profile=Profile.READONLY)]
)
def test_nobody_is_signed_up_where_the_policy_forbids_it(policy: Policy) -> None:
    fields = {name: {"type": "string"} for name in ("email", "password")}
    media = {"schema": {"type": "object", "properties": fields, "required": list(fields)}}
    body = {"required": True, "content": {"application/json": media}}
    paths = {**PATHS, "/users": {"post": {"security": [], "requestBody": body, "responses": {}}}}
    login = LoginRecipe(method="POST", path="/login", payload={"email": "{email}"})
    _, exchanges = scanned(a_check(nothing), paths=paths, policy=policy, login=login)
    assert not any(each.request.path == "/users" for each in exchanges)


def test_operations_with_dangerous_names_and_those_under_never_are_not_called() -> None:
    paths = {
        "/me": {"get": {"security": [{"bearer": []}], "responses": {}}},
        "/reset-database": {"get": {"responses": {}}},
        "/expensive": {"get": {"responses": {}}},
    }
    record, exchanges = scanned(
        a_check(nothing), paths=paths, policy=Policy(never=("GET /expensive",))
    )

    called = {each.request.operation_path for each in exchanges}
    assert called == {"/", "/me"}
    assert states(record)["GET /reset-database"] is CoverageState.SKIPPED
    assert states(record)["GET /expensive"] is CoverageState.SKIPPED


@pytest.mark.parametrize(("name", "is_called"), [("Cards_drop", True), ("logout_card", False)])
def test_the_deletion_of_one_thing_may_be_called_a_drop(name: str, is_called: bool) -> None:
    card = Parameter(name="id", location="path", required=True, schema={})
    deletion = Operation(method="DELETE", path="/cards/{id}", operation_id=name, parameters=(card,))
    assert (Policy().forbids(deletion) is None) is is_called


def test_the_readonly_profile_sends_only_safe_methods() -> None:
    checks = (a_check(nothing), a_check(nothing, name="writes", safety=Safety.MUTATING))
    record, exchanges = scanned(*checks, policy=Policy(profile=Profile.READONLY))

    assert {each.request.method for each in exchanges} == {"GET"}
    assert set(states(record, "writes").values()) == {CoverageState.SKIPPED}


def test_checks_that_flood_run_on_loopback_and_elsewhere_only_when_asked_for() -> None:
    flood = a_check(nothing, per=Per.API, safety=Safety.ABUSIVE)
    elsewhere = "http://api.example.com"

    at_home, _ = scanned(flood)
    away, _ = scanned(flood, base_url=elsewhere)
    asked, _ = scanned(flood, base_url=elsewhere, policy=Policy(profile=Profile.ABUSE))

    assert at_home.coverage[0].state is CoverageState.PASSED
    assert away.coverage[0].state is CoverageState.SKIPPED
    assert asked.coverage[0].state is CoverageState.PASSED


def test_what_ends_the_callers_session_is_not_called_whatever_it_is_named() -> None:
    paths: dict[str, Any] = {**PATHS, "/sessions/current": {"delete": PATHS["/me"]["get"]}}
    record, sent = scanned(a_check(nothing), paths=paths)
    assert not [each for each in sent if each.request.path == "/sessions/current"]
    assert record.void is None


@pytest.mark.parametrize("path", ["/users/{id}/delete", "/users/delete/{id}", "/users/{id}/ban"])
def test_nobody_but_users_of_the_scans_own_is_deleted_by_a_path_that_says_so(path: str) -> None:
    by_id = {**PATHS["/notes/{id}"]["get"]}
    paths: dict[str, Any] = {
        "/users": {"get": PATHS["/me"]["get"]},
        path: {"post": by_id, "get": by_id},
    }
    harmed: list[str] = []

    def server(request: Request) -> Response:
        if request.path == "/users":
            return answer(200, [{"id": 1, "name": "alice"}, {"id": 2, "name": "bob"}])
        if request.path.startswith("/users/") and not (
            request.method == "GET" and path.endswith("ban")
        ):
            harmed.append(request.path)
        return answer(200, {})

    scanned(a_check(nothing), server=server, paths=paths)
    assert not harmed
