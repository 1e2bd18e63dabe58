"""Roles and owners: what must be found, and what must not be taken for a flaw."""

import itertools
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Confidence
from withstand.scan.probes.tokens import signed
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, scanned, state

ROLE = "operation-open-to-lower-role"
OBJECT = "object-readable-by-other-user"
FORBIDDEN = answer(403, {"error": "for administrators"})

REPORTS: dict[str, Any] = {"/reports": {"get": operation()}}
ADMINS = {"access": {"GET /reports": ("admin",)}}


def reports(request: Request, shown: dict[str, object], others: Response) -> Response:
    name = caller(request)
    if name is None:
        return UNAUTHENTICATED
    return answer(200, shown) if name == "root" else others


def test_the_same_kind_of_report_for_a_lower_role_is_found() -> None:
    def server(request: Request) -> Response:
        return reports(request, {"rows": ["all"]}, answer(200, {"rows": ["some"]}))

    (finding,) = findings(ROLE, server, REPORTS, policy=ADMINS)
    assert finding.confidence is Confidence.FIRM


@pytest.mark.parametrize(
    "others", [FORBIDDEN, not_found(), UNAUTHENTICATED, answer(200, {"error": "not for you"})]
)
def test_every_way_to_refuse_a_lower_role_is_no_flaw(others: Response) -> None:
    def server(request: Request) -> Response:
        return reports(request, {"rows": ["all"]}, others)

    assert findings(ROLE, server, REPORTS, policy=ADMINS) == ()


@pytest.mark.parametrize("nothing", [[], {"data": None}, {"success": True, "data": [], "total": 0}])
def test_nothing_in_the_answer_is_no_answer_to_a_lower_role(nothing: Any) -> None:
    def filled(request: Request) -> Response:
        return reports(request, {"rows": ["all"]}, answer(200, nothing))

    def empty(request: Request) -> Response:
        return UNAUTHENTICATED if caller(request) is None else answer(200, nothing)

    what, _ = state(ROLE, filled, REPORTS, policy=ADMINS)
    assert what is CoverageState.PASSED
    # Where there is nothing for anybody it may be open or not: worth a look, and no red build.
    (finding,) = findings(ROLE, empty, REPORTS, policy=ADMINS)
    assert finding.confidence is Confidence.TENTATIVE


def test_a_truth_value_of_its_own_is_an_answer_to_a_lower_role() -> None:
    def server(request: Request) -> Response:
        shown = {"maintenance": False, "until": None}
        return UNAUTHENTICATED if caller(request) is None else answer(200, shown)

    assert len(findings(ROLE, server, REPORTS, policy=ADMINS)) == 1


def test_where_nobody_said_who_may_use_it_no_role_is_wrong() -> None:
    def server(request: Request) -> Response:
        return reports(request, {"rows": []}, FORBIDDEN)

    what, reason = state(ROLE, server, REPORTS)
    assert what is CoverageState.NOT_APPLICABLE
    assert "[access]" in reason


def test_an_operation_that_serves_anybody_is_the_finding_of_another_check() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"rows": ["all"]}) if request.path == "/reports" else not_found()

    what, reason = state(ROLE, server, REPORTS, policy=ADMINS)
    assert what is CoverageState.INCONCLUSIVE
    assert "missing-credential-accepted" in reason


def test_scopes_of_the_document_and_of_tokens_say_who_may_where_the_configuration_does_not() -> (
    None
):
    def token(name: str) -> str:
        scopes = "reports:read orders:read" if name == "root" else "orders:read"
        return signed({"sub": name, "scope": scopes}, b"the key of these tests")

    tokens = {name: token(name) for name in ("alice", "bob", "root")}
    document = {"/reports": {"get": {**operation(), "security": [{"bearer": ["reports:read"]}]}}}

    def server_for(*, looks: bool) -> Server:
        def server(request: Request) -> Response:
            by_token = {f"Bearer {token}": name for name, token in tokens.items()}
            name = by_token.get(request.header("authorization") or "")
            if name is None or request.path != "/reports":
                return UNAUTHENTICATED if name is None else not_found()
            return FORBIDDEN if looks and name != "root" else answer(200, {"rows": ["all"]})

        return server

    people = identities(tokens=tokens)
    assert len(findings(ROLE, server_for(looks=False), document, people=people)) == 1
    assert findings(ROLE, server_for(looks=True), document, people=people) == ()
    unsaid = {"/reports": {"get": operation()}}
    assert findings(ROLE, server_for(looks=False), unsaid, people=people) == ()


def test_a_name_that_sounds_of_administrators_is_a_suggestion_and_no_finding() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"rows": ["all"]}) if caller(request) else UNAUTHENTICATED

    what, reason = state(ROLE, server, {"/admin/rows": {"get": operation()}})
    assert what is CoverageState.SKIPPED
    assert '"GET /admin/rows" = ["admin"]' in reason


ITEMS: dict[str, Any] = {
    "/items": {"post": operation(requestBody=body(title={"type": "string"}))},
    "/items/{id}": {
        "get": operation(parameters=(("path", "id"),)),
        "put": operation(parameters=(("path", "id"),), requestBody=body(title={"type": "string"})),
    },
}
ADMINS_WRITE = {"access": {"PUT /items/{id}": ("admin",)}}


def items(*, stores: bool) -> Server:
    """Items that only root should change; others get 204, whether or not it stores anything."""
    kept: dict[str, str] = {}

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            kept[str(len(kept) + 1)] = sent(request)["title"]
            return answer(201, {"id": str(len(kept))})
        if last_segment(request) not in kept:
            return not_found()
        if request.method == "GET":
            return answer(200, {"title": kept[last_segment(request)]})
        if stores or caller(request) == "root":
            kept[last_segment(request)] = sent(request)["title"]
        return Response(status=204)

    return server


def test_a_change_by_a_lower_role_is_proved_by_reading_it_again() -> None:
    (finding,) = findings(ROLE, items(stores=True), ITEMS, policy=ADMINS_WRITE)
    assert "stored" in finding.detail
    assert finding.confidence is Confidence.FIRM


def test_a_change_by_a_lower_role_that_is_silently_ignored_is_no_flaw() -> None:
    assert findings(ROLE, items(stores=False), ITEMS, policy=ADMINS_WRITE) == ()


USERS: dict[str, Any] = {
    "/users": {
        "post": operation(
            secured=False,
            requestBody=body(email={"type": "string"}, password={"type": "string"}),
        )
    },
    "/admin/users/{id}": {"delete": operation(parameters=(("path", "id"),))},
}
ADMINS_DELETE = {"access": {"DELETE /admin/users/{id}": ("admin",)}}


def users(*, roles_checked: bool, really_deletes: bool = True, sign_up: bool = True) -> Server:
    kept = {"1", "2"}
    numbers = itertools.count(3)

    def server(request: Request) -> Response:
        if request.method == "POST":
            if not sign_up:
                return answer(503, {"error": "closed"})
            number = str(next(numbers))
            kept.add(number)
            return answer(201, {"user": {"id": number}})
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method != "DELETE":
            return not_found()
        if roles_checked and caller(request) != "root":
            return FORBIDDEN
        if last_segment(request) not in kept:
            return not_found()
        if really_deletes or caller(request) == "root":
            kept.remove(last_segment(request))
        return Response(status=204)

    return server


def test_a_lower_role_that_deletes_a_user_is_found_with_a_user_signed_up_for_it() -> None:
    server = users(roles_checked=False)
    record, exchanges = scanned(server, USERS, policy=ADMINS_DELETE)
    found = [finding for finding in record.findings if finding.check == ROLE]
    assert [finding.operations for finding in found] == [("DELETE /admin/users/{id}",)]
    deleted = {last_segment(e.request) for e in exchanges if e.request.method == "DELETE"}
    assert not deleted & {"1", "2"}


def test_a_deletion_that_says_204_to_a_lower_role_and_deletes_nothing_is_no_flaw() -> None:
    server = users(roles_checked=False, really_deletes=False)
    assert findings(ROLE, server, USERS, policy=ADMINS_DELETE) == ()


def test_a_deletion_refused_to_a_lower_role_passes() -> None:
    key = "DELETE /admin/users/{id}"
    server = users(roles_checked=True)
    assert state(ROLE, server, USERS, key, policy=ADMINS_DELETE)[0] is CoverageState.PASSED


def test_without_an_object_to_lose_an_early_403_still_passes() -> None:
    key = "DELETE /admin/users/{id}"
    paths = {"/admin/users/{id}": USERS["/admin/users/{id}"]}
    server = users(roles_checked=True)
    assert state(ROLE, server, paths, key, policy=ADMINS_DELETE)[0] is CoverageState.PASSED


def test_without_an_object_to_lose_a_404_proves_nothing() -> None:
    key = "DELETE /admin/users/{id}"
    paths = {"/admin/users/{id}": USERS["/admin/users/{id}"]}
    server = users(roles_checked=False)
    what, reason = state(ROLE, server, paths, key, policy=ADMINS_DELETE)
    assert what is CoverageState.INCONCLUSIVE
    assert "404" in reason


# --- owners -----------------------------------------------------------------------------------


def things(name: str, *, listed: bool = False, location: str = "body") -> dict[str, Any]:
    paths: dict[str, Any] = {
        f"/{name}": {"post": operation(requestBody=body(text={"type": "string"}))},
        f"/{name}/{{id}}": {"get": operation(parameters=(("path", "id"),))},
    }
    if listed:
        paths[f"/{name}"]["get"] = operation()
    return paths


def shared(*, anonymous: bool = False, listed: bool = False, owners_only: bool = False) -> Server:
    kept: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None and not (anonymous and request.method == "GET"):
            return UNAUTHENTICATED
        if request.method == "POST":
            number = str(len(kept) + 1)
            kept[number] = (name or "", sent(request)["text"])
            return answer(201, {"id": number})
        if last_segment(request) in kept:
            owner, text = kept[last_segment(request)]
            if not owners_only or owner == name:
                return answer(200, {"id": last_segment(request), "text": text})
        if listed and request.path.count("/") == 1 and request.path != "/":
            return answer(200, [text for _, text in kept.values()])
        return not_found()

    return server


def test_an_object_that_another_user_reads_is_found_with_the_text_that_proves_it() -> None:
    (finding,) = findings(OBJECT, shared(), things("letters"))
    assert finding.confidence is Confidence.FIRM
    mark = finding.evidence[1].highlight
    response = finding.evidence[1].exchange.response
    assert mark is not None
    assert response is not None
    assert mark in response.text


def test_an_object_is_somebodys_also_where_the_document_declares_no_security() -> None:
    paths = things("letters")
    for item in paths.values():
        for each in item.values():
            each["security"] = []
    assert len(findings(OBJECT, shared(), paths)) == 1
    assert findings(OBJECT, shared(owners_only=True), paths) == ()
    assert findings(OBJECT, shared(anonymous=True), paths) == ()


@pytest.mark.parametrize("owners_only", [False, True])
def test_an_object_of_numbers_in_an_envelope_that_changes_is_recognised(owners_only: bool) -> None:
    """Refusals are 200 too, and every answer has an id of its own."""
    owners: list[str] = []
    requests = itertools.count(0xA1B2C3)

    def told(data: object, error: str | None = None) -> Response:
        return answer(200, {"error": error, "data": data, "requestId": f"{next(requests):09x}"})

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return told(None, "who are you?")
        if request.operation_path == "/me":
            return told({"name": name})
        if request.method == "POST":
            owners.append(name)
            return told({"id": len(owners)})
        if not last_segment(request).isdigit() or int(last_segment(request)) > len(owners):
            return told(None, "who are you?")
        if owners_only and owners[int(last_segment(request)) - 1] != name:
            return told(None, "who are you?")
        return told({"id": int(last_segment(request)), "cents": 4711})

    paths: dict[str, Any] = {
        "/me": {"get": operation()},
        "/accounts": {"post": operation(requestBody=body(cents={"type": "integer"}))},
        "/accounts/{id}": {"get": operation(parameters=(("path", "id"),))},
    }
    came, reason = state(OBJECT, server, paths, "GET /accounts/{id}")
    assert came is (CoverageState.PASSED if owners_only else CoverageState.FAILED), reason


@pytest.mark.parametrize("owners_only", [False, True])
def test_an_object_inside_another_is_read_where_it_was_made(owners_only: bool) -> None:
    """The newest folder is not the one in which the baseline's letter was made."""
    folders: list[str | None] = []
    letters: dict[tuple[str, str], str] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        parts = request.operation_path.split("/")[1:]
        if request.method == "POST" and len(parts) == 1:
            folders.append(name)
            return answer(201, {"id": f"f{len(folders)}"})
        if parts[0] != "folders" or not parts[1:]:
            return not_found()
        if request.method == "POST":
            folders.append(None)
            number = f"l{len(letters)}"
            letters[f"{name}-{parts[1]}", number] = sent(request)["text"]
            return answer(201, {"id": number, "folder": {"id": f"f{len(folders)}"}})
        keys = [key for key in letters if key[1] == parts[-1] and key[0].endswith(f"-{parts[1]}")]
        if not keys or (owners_only and not keys[0][0].startswith(f"{name}-")):
            return not_found()
        return answer(200, {"id": parts[-1], "text": letters[keys[0]]})

    letter = body(text={"type": "string"})
    item = {"get": operation(parameters=(("path", "folder_id"), ("path", "id")))}
    paths: dict[str, Any] = {
        "/folders": {"post": operation()},
        "/folders/{folder_id}/letters": {
            "post": operation(parameters=(("path", "folder_id"),), requestBody=letter)
        },
        "/folders/{folder_id}/letters/{id}": item,
    }
    key = "GET /folders/{folder_id}/letters/{id}"
    told, reason = state(OBJECT, server, paths, key)
    assert told is (CoverageState.PASSED if owners_only else CoverageState.FAILED), reason


def test_an_object_whose_other_fields_depend_on_the_reader_is_found_by_its_text() -> None:
    kept: list[str] = []

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            kept.append(sent(request)["text"])
            return answer(201, {"id": str(len(kept) - 1)})
        if not last_segment(request).isdigit() or int(last_segment(request)) >= len(kept):
            return not_found()
        return answer(200, {"text": kept[int(last_segment(request))], "read by": name})

    paths = things("letters")
    text = {"type": "string", "example": "Dear Ada"}
    paths["/letters"]["post"] = operation(requestBody=body(text=text))
    assert len(findings(OBJECT, server, paths)) == 1


def test_an_object_that_anybody_may_read_is_not_somebodys() -> None:
    key = "GET /letters/{id}"
    what, reason = state(OBJECT, shared(anonymous=True), things("letters"), key)
    assert what is CoverageState.PASSED
    assert "anybody" in reason


def test_objects_that_everybody_finds_in_the_list_are_shared_unless_said_to_be_private() -> None:
    paths = things("letters", listed=True)
    assert findings(OBJECT, shared(listed=True), paths) == ()
    policy = {"private": ("/letters/{id}",)}
    assert len(findings(OBJECT, shared(listed=True), paths, policy=policy)) == 1


def test_a_profile_is_only_worth_a_look_unless_said_to_be_private() -> None:
    paths = things("profiles")
    (finding,) = findings(OBJECT, shared(), paths)
    assert finding.confidence is Confidence.TENTATIVE
    (finding,) = findings(OBJECT, shared(), paths, policy={"private": ("/profiles/{id}",)})
    assert finding.confidence is Confidence.FIRM


def test_one_user_alone_cannot_show_it_and_the_report_says_so() -> None:
    people = identities(("alice", "root"))
    what, reason = state(OBJECT, shared(), things("letters"), "GET /letters/{id}", people=people)
    assert what is CoverageState.SKIPPED
    assert "NOT tested" in reason


def test_an_id_repeated_in_a_refusal_is_no_leak() -> None:
    kept: dict[str, str] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            kept[sent(request)["text"]] = name
            return answer(201, {"id": sent(request)["text"]})
        if kept.get(last_segment(request)) != name:
            return answer(404, {"error": f"no letter {last_segment(request)}"})
        return answer(200, {"id": last_segment(request)})

    assert findings(OBJECT, server, things("letters")) == ()
