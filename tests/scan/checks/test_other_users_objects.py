"""Objects that others change, delete, list or are told about: found in any style, else silent."""

import itertools
from collections.abc import Callable
from uuid import UUID

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import all_checks
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Confidence
from withstand.scan.records.record import CoverageState

from .owned_things import ITEM, Things, paths
from .tiny_api import findings, scanned, state

READ = "object-readable-by-other-user"
CHANGE = "object-changeable-by-other-user"
DELETE = "object-deletable-by-other-user"
LIST = "list-shows-other-users-objects"
LEAK = "refusal-leaks-data"
PARAMETER = "object-of-other-user-by-parameter"

STYLES: dict[str, Callable[..., Things]] = {
    "numbers": lambda **more: Things(identify=int, **more),
    "uuids in an envelope": lambda **more: Things(
        identify=lambda n: str(UUID(int=n)), dress=lambda d: {"success": True, "data": d}, **more
    ),
    "slugs, 403 in HTML": lambda **more: Things(
        identify=lambda n: f"letter-{n}",
        refuse=lambda: Response(
            status=403, headers=(("Content-Type", "text/html"),), body=b"<h1>Forbidden</h1>"
        ),
        **more,
    ),
    "ids in Location": lambda **more: Things(in_location=True, **more),
    "Siren": lambda **more: Things(
        identify=int,
        dress=lambda d: (
            {"entities": [{"properties": each} for each in d]}
            if isinstance(d, list)
            else {"class": ["letter"], "properties": d, "links": [{"rel": ["up"], "href": "/me"}]}
        ),
        **more,
    ),
    "refusals are 200": lambda **more: Things(
        refuse=lambda: answer(200, {"success": False, "error": "no such letter"}), **more
    ),
}
EACH_STYLE = pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())


@EACH_STYLE
@pytest.mark.parametrize(
    ("check", "method"),
    [(READ, "GET"), (CHANGE, "PUT"), (CHANGE, "PATCH"), (DELETE, "DELETE")],
)
def test_a_method_that_asks_nobodys_name_is_found_in_every_style_and_otherwise_silent(
    style: Callable[..., Things], check: str, method: str
) -> None:
    document = paths("put", "patch", "delete")
    (finding,) = findings(check, style(open_to_all=frozenset({method})), document)
    assert finding.operations == (f"{method} /letters/{{id}}",)
    assert finding.confidence is Confidence.FIRM
    assert findings(check, style(), document) == ()


@pytest.mark.parametrize("check", [CHANGE, DELETE])
def test_an_answer_that_claims_a_success_and_does_nothing_passes(check: str) -> None:
    server = Things(pretends=frozenset({"PUT", "PATCH", "DELETE"}))
    assert findings(check, server, paths("put", "patch", "delete")) == ()


def test_a_change_that_is_answered_with_404_is_found_by_what_the_owner_reads() -> None:
    things = Things(open_to_all=frozenset({"PUT"}))

    def server(request: Request) -> Response:
        response = things(request)
        foreign = request.method == "PUT" and caller(request) == "bob"
        return not_found() if foreign else response

    assert len(findings(CHANGE, server, paths("put"))) == 1


def test_a_change_is_tried_without_what_only_the_owner_may_name() -> None:
    """Letters are in folders, and nobody may put one into the folder of somebody else."""
    things = Things(open_to_all=frozenset({"PATCH"}))

    def server(request: Request) -> Response:
        foreign = caller(request) == "bob" and "folder_id" in sent(request)
        if request.method == "PATCH" and foreign:
            return answer(400, {"folder_id": ['Invalid pk "7" - object does not exist.']})
        return things(request)

    document = paths("patch")
    letter = document["/letters/{id}"]["patch"]["requestBody"]["content"]["application/json"]
    letter["schema"]["properties"]["folder_id"] = {"type": "integer"}
    letter["schema"]["required"] = []
    (finding,) = findings(CHANGE, server, document)
    assert finding.operations == ("PATCH /letters/{id}",)


def test_a_put_that_makes_an_object_of_the_strangers_own_passes() -> None:
    kept: dict[tuple[str, str], str] = {}
    numbers = itertools.count(1)

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        number = str(next(numbers)) if request.method == "POST" else last_segment(request)
        if request.method in {"POST", "PUT"}:
            kept[name, number] = sent(request)["text"]
            return answer(201, {"id": number})
        text = kept.get((name, number))
        return answer(200, {"id": number, "text": text}) if text else not_found()

    assert findings(CHANGE, server, paths("put")) == ()


@pytest.mark.parametrize("check", [CHANGE, DELETE])
def test_objects_of_a_team_that_everybody_lists_and_changes_are_shared(check: str) -> None:
    server = Things(shared=True, open_to_all=frozenset({"GET", "PUT", "DELETE"}))
    document = paths("put", "delete", listed=True)
    assert findings(check, server, document) == ()
    private = {"private": ("/letters/{id}",)}
    assert len(findings(check, server, document, policy=private)) == 1


def test_an_object_that_all_may_read_and_that_only_one_change_lets_strangers_make_is_owned() -> (
    None
):
    """Deleting is refused to strangers, so the object has an owner, and the PUT forgot to ask."""
    server = Things(shared=True, open_to_all=frozenset({"GET", "PUT"}))
    (finding,) = findings(CHANGE, server, paths("put", "delete", listed=True))
    assert finding.confidence is Confidence.FIRM


def test_published_objects_that_name_their_owner_are_worth_a_look_when_others_change_them() -> None:
    server = Things(published=True, names_owner=True, open_to_all=frozenset({"PUT"}))
    (finding,) = findings(CHANGE, server, paths("put"))
    assert finding.confidence is Confidence.TENTATIVE
    wiki = Things(published=True, open_to_all=frozenset({"PUT"}))
    assert findings(CHANGE, wiki, paths("put")) == ()


@pytest.mark.parametrize("named", [False, True])
def test_what_anybody_reads_in_a_list_alone_is_published_too(named: bool) -> None:
    document = paths("put", listed=True)
    del document["/letters/{id}"]["get"]
    server = Things(published=True, shared=True, names_owner=named, open_to_all=frozenset({"PUT"}))
    found = findings(CHANGE, server, document)
    assert [finding.confidence for finding in found] == [Confidence.TENTATIVE] * named


@pytest.mark.parametrize("everybody", [False, True])
def test_a_deletion_that_only_marks_is_found_by_the_mark(everybody: bool) -> None:
    allowed = frozenset({"DELETE"}) if everybody else frozenset[str]()
    server = Things(soft_delete=True, open_to_all=allowed)
    assert len(findings(DELETE, server, paths("delete"))) == everybody


def test_a_deletion_that_takes_everything_with_it_is_no_proof() -> None:
    things = Things(open_to_all=frozenset({"DELETE"}))

    def server(request: Request) -> Response:
        response = things(request)
        if request.method == "DELETE":
            things.kept.clear()
        return response

    what, reason = state(DELETE, server, paths("delete"), "DELETE /letters/{id}")
    assert what is CoverageState.INCONCLUSIVE
    assert "as well" in reason


@pytest.mark.parametrize("flawed", [False, True])
def test_what_acts_on_a_private_object_is_found_and_a_like_on_a_public_one_is_not(
    flawed: bool,
) -> None:
    def server_for(things: Things) -> Callable[[Request], Response]:
        likes: dict[str, int] = {}

        def server(request: Request) -> Response:
            parts = request.operation_path.strip("/").split("/")
            if len(parts) == 3:
                thing = things.kept.get(parts[1])
                if thing is None or caller(request) is None:
                    return not_found()
                if not (flawed or thing["owner"] == caller(request)):
                    return not_found()
                likes[parts[1]] = likes.get(parts[1], 0) + 1
                return Response(status=204)
            response = things(request)
            if request.method != "GET" or len(parts) != 2 or not response.succeeded:
                return response
            return answer(200, {**(response.json()), "state": f"x{likes.get(parts[1], 0)}"})

        return server

    document = paths("delete", listed=True)
    document["/letters/{id}/cancel"] = {"post": operation(parameters=ITEM)}
    assert len(findings(CHANGE, server_for(Things()), document)) == flawed
    assert findings(CHANGE, server_for(Things(shared=True)), document) == ()


@pytest.mark.parametrize("end", ["", "/"])
def test_what_the_single_read_refuses_and_the_list_shows_is_found_also_by_its_id(end: str) -> None:
    things = Things()

    def server(request: Request) -> Response:
        name = caller(request)
        if request.path == f"/letters{end}" and request.method == "GET" and name is not None:
            return answer(200, {"items": [{"id": each} for each in things.kept]})
        return things(request)

    document = {f"{path}{end}": operations for path, operations in paths(listed=True).items()}
    (finding,) = findings(LIST, server, document)
    assert finding.operations == (f"GET /letters{end}",)


def test_lists_of_shared_or_published_objects_pass() -> None:
    document = paths(listed=True)
    assert findings(LIST, Things(shared=True), document) == ()
    assert findings(LIST, Things(shared=True, published=True), document) == ()
    assert findings(LIST, Things(), document) == ()


def test_a_list_of_what_the_user_calls_private_needs_no_single_read() -> None:
    document = paths(listed=True)
    del document["/letters/{id}"]
    private = {"private": ("/letters",)}
    assert len(findings(LIST, Things(shared=True), document, policy=private)) == 1
    assert findings(LIST, Things(), document, policy=private) == ()


def quoting(request_method: str) -> Callable[[Request], Response]:
    things = Things()

    def server(request: Request) -> Response:
        response = things(request)
        thing = things.kept.get(last_segment(request))
        foreign = thing is not None and thing["owner"] != caller(request)
        if foreign and request.method == request_method and response.status == 404:
            text = f"<p>{thing['text'] if thing else ''} is not yours</p>".encode()
            return Response(status=403, headers=(("Content-Type", "text/html"),), body=text)
        return response

    return server


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_refusal_that_quotes_the_object_is_found_on_whatever_method(method: str) -> None:
    document = paths("put", "delete")
    (finding,) = findings(LEAK, quoting(method), document)
    assert finding.operations == (f"{method} /letters/{{id}}",)
    family = tuple(check for check in all_checks() if check.family == "authorisation")
    record, _ = scanned(quoting(method), document, checks=family)
    assert {finding.check for finding in record.findings} == {LEAK}


def test_a_refusal_that_repeats_what_was_sent_or_what_anybody_lists_gives_nothing_away() -> None:
    def echoing(request: Request) -> Response:
        response = things(request)
        if response.status == 404:
            return answer(404, {"error": "no", "you sent": request.body.decode()})
        return response

    things = Things()
    assert findings(LEAK, echoing, paths("put", "delete")) == ()
    shared = Things(
        shared=True, refuse=lambda: answer(403, [t["text"] for t in shared.kept.values()])
    )
    assert findings(LEAK, shared, paths("delete", listed=True)) == ()
