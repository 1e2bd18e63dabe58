"""Addresses that the server fetches, and files that it serves again."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, last_segment, not_found, operation, query, sent
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

FETCH = "server-side-request-forgery"
UPLOAD = "uploaded-markup-served"
URL = {"type": "string", "format": "uri", "example": "https://pictures.example.com/tea.jpg"}


def posting(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"/things": {"post": operation(secured=False, requestBody=body(**fields))}}


class Fetcher:
    """Fetches what `find` finds in a request, unless `allows` says no to it."""

    def __init__(
        self,
        find: Callable[[Request], str],
        allows: Callable[[str], bool] = lambda _url: True,
        *,
        fails_with: int | None = None,
    ) -> None:
        self.fetched: list[str] = []
        self._find, self._allows, self._fails_with = find, allows, fails_with

    def __call__(self, request: Request) -> Response:
        if request.operation_path == "/":
            return not_found()
        url = self._find(request)
        if url and not self._allows(url):
            return answer(422, {"error": f"{url} may not be fetched"})
        if url:
            # As clients read it: what stands before an @ is a user name.
            self.fetched.append(re.sub(r"//[^/@]*@", "//", url).replace("localhost", "127.0.0.1"))
        return answer(self._fails_with or 200, {"fetched": url})


@pytest.mark.parametrize(
    ("server", "paths", "parameter"),
    [
        (Fetcher(lambda r: str(sent(r)["picture"])), posting(picture=URL), "body picture"),
        (
            Fetcher(lambda r: str(sent(r)["callbackUrl"])),
            posting(callbackUrl={"type": "string"}),
            "body callbackUrl",
        ),
        (
            Fetcher(lambda r: str(sent(r)["hook"]["target_url"])),
            posting(hook={"type": "object", "properties": {"target_url": {"type": "string"}}}),
            "body hook.target_url",
        ),
        (
            Fetcher(lambda r: str(sent(r)["feeds"][0])),
            posting(feeds={"type": "array", "minItems": 1, "items": {"type": "string"}}),
            "body feeds.0",
        ),
        (
            Fetcher(lambda r: query(r, "url")),
            {"/p": {"get": operation(secured=False, parameters=(("query", "url"),))}},
            "query url",
        ),
        (
            Fetcher(lambda r: "http://" + query(r, "host") if query(r, "host") else ""),
            {"/p": {"get": operation(secured=False, parameters=(("query", "host"),))}},
            "query host",
        ),
    ],
    ids=["format", "name", "nested", "list", "query", "host"],
)
def test_an_address_that_is_fetched_is_found(
    server: Server, paths: dict[str, Any], parameter: str
) -> None:
    (finding,) = findings(FETCH, server, paths)
    assert finding.parameter == parameter
    assert "listener" in finding.detail


@pytest.mark.parametrize(
    "allows",
    [
        lambda url: url.endswith((".jpg", ".png")),
        lambda url: "pictures.example.com" in url,
        lambda url: "127.0.0.1" not in url.partition("@")[0],
    ],
    ids=["looks at the ending", "looks for the host anywhere", "looks for one number"],
)
def test_a_test_of_the_address_that_can_be_fooled_is_found(allows: Callable[[str], bool]) -> None:
    server = Fetcher(lambda r: str(sent(r)["picture"]), allows)
    (finding,) = findings(FETCH, server, posting(picture=URL))
    assert finding.parameter == "body picture"


@pytest.mark.parametrize("status", [400, 500, 502, 504])
def test_a_fetch_is_found_also_where_no_request_succeeds(status: int) -> None:
    server = Fetcher(lambda r: str(sent(r)["picture"]), fails_with=status)
    (finding,) = findings(FETCH, server, posting(picture=URL))
    assert finding.parameter == "body picture"


@pytest.mark.parametrize(
    "server",
    [
        Fetcher(
            lambda r: str(sent(r)["picture"]),
            lambda url: urlsplit(url).hostname == "pictures.example.com",
        ),
        lambda request: answer(201, {"picture": sent(request).get("picture")}),
        Fetcher(lambda _request: "http://127.0.0.1:9090/favicon.ico"),
    ],
    ids=["allow-list", "stores it", "fetches something of its own"],
)
def test_what_does_not_fetch_the_address_is_not_reported(server: Server) -> None:
    told, _ = state(FETCH, server, posting(picture=URL))
    assert told is CoverageState.PASSED


class Hooks:
    """Keeps addresses, and calls one when it is told to test it."""

    def __init__(self, *, calls: bool) -> None:
        self.fetched: list[str] = []
        self._calls = calls
        self._kept: list[str] = []

    def __call__(self, request: Request) -> Response:
        if request.method != "POST" or not request.path.startswith("/hooks/"):
            return not_found()
        number = request.path.split("/")[2]
        if not number:
            self._kept.append(str(sent(request)["url"]))
            return answer(201, {"id": len(self._kept) - 1, "url": self._kept[-1]})
        if not number.isdigit() or int(number) >= len(self._kept):
            return not_found()
        if self._calls:
            self.fetched.append(self._kept[int(number)])
        return answer(200, {"result": "failed"})


def test_an_address_that_is_kept_and_fetched_when_it_is_tried_is_found() -> None:
    test = operation(secured=False, parameters=(("path", "id"),))
    document = {
        "/hooks/": posting(url={"type": "string"})["/things"],
        "/hooks/{id}/test/": {"post": test},
    }
    (finding,) = findings(FETCH, Hooks(calls=True), document)
    assert finding.operations == ("POST /hooks/",)
    assert findings(FETCH, Hooks(calls=False), document) == ()


def test_a_target_that_cannot_call_the_scan_is_not_said_to_be_safe() -> None:
    server = Fetcher(lambda r: str(sent(r)["picture"]))
    told, reason = state(FETCH, server, posting(picture=URL), listens=False)
    assert told is CoverageState.INCONCLUSIVE
    assert "listener" in reason


def test_an_operation_without_addresses_is_left_alone() -> None:
    told, reason = state(FETCH, lambda _request: answer(200, {}), posting(name={"type": "string"}))
    assert (told, reason) == (CoverageState.NOT_APPLICABLE, "it takes no address")


# --- uploads ----------------------------------------------------------------------------------

FILE: dict[str, Any] = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
    "required": ["title", "file"],
}
PATHS = {
    "/files": {
        "post": operation(
            secured=False,
            requestBody={
                "required": True,
                "content": {"multipart/form-data": {"schema": FILE}},
            },
        )
    },
}
BY_ID = PATHS | {
    "/files/{id}": {"get": operation(secured=False, parameters=(("path", "id"),))},
    "/files/{id}/content": {"get": operation(secured=False, parameters=(("path", "id"),))},
}
BY_NAME = PATHS | {
    "/uploads/{filename}": {"get": operation(secured=False, parameters=(("path", "filename"),))}
}


PLAIN_TYPES = {"image/png", "text/plain"}


class Files:
    """Takes files. `says` is the answer to an upload, `at` where a copy is, `serve` its headers."""

    def __init__(
        self,
        *,
        says: Callable[[str, str], Any],
        at: Callable[[str, str], str],
        serve: Callable[[str, str], dict[str, str] | None],
        takes: Callable[[str, str], bool] = lambda _name, _type: True,
        clean: Callable[[bytes], bytes] = lambda content: content,
    ) -> None:
        self._kept: dict[str, tuple[str, str, bytes]] = {}
        self._says, self._at, self._serve, self._takes, self._clean = says, at, serve, takes, clean

    def __call__(self, request: Request) -> Response:
        if request.method == "POST":
            return self._take(request.body)
        found = self._kept.get(request.operation_path)
        if found is None:
            return not_found()
        name, media_type, content = found
        headers = self._serve(name, media_type)
        return Response(status=200, headers=tuple((headers or {}).items()), body=content)

    def _take(self, form: bytes) -> Response:
        part = re.search(
            rb'name="file"; filename="([^"]*)"\r\nContent-Type: ([^\r]*)\r\n\r\n(.*?)\r\n--',
            form,
            re.DOTALL,
        )
        if part is None:
            return answer(400, {"error": "no file"})
        name, media_type = part[1].decode(), part[2].decode()
        if not self._takes(name, media_type):
            return answer(415, {"error": f"{name} is of no type that is taken"})
        number = str(4711 + len(self._kept))
        self._kept[self._at(number, name)] = (name, media_type, self._clean(part[3]))
        return answer(201, self._says(number, name))


def as_sent(_name: str, media_type: str) -> dict[str, str]:
    return {"Content-Type": media_type}


def by_ending(name: str, _media_type: str) -> dict[str, str]:
    known = {"html": "text/html; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}
    return {"Content-Type": known.get(name.rpartition(".")[2], "text/plain")}


def files(**changes: Any) -> Files:
    usual: dict[str, Any] = {
        "says": lambda number, _name: {"data": {"id": number}},
        "at": lambda number, _name: f"/files/{number}/content",
        "serve": as_sent,
    }
    return Files(**(usual | changes))


@pytest.mark.parametrize(
    ("server", "paths"),
    [
        (files(), BY_ID),
        (files(serve=by_ending), BY_ID),
        (
            files(
                serve=lambda name, kind: (
                    as_sent(name, kind)
                    | {"Content-Security-Policy": "default-src 'self' 'unsafe-inline'"}
                )
            ),
            BY_ID,
        ),
        (files(serve=lambda _name, _type: None), BY_ID),
        (files(takes=lambda name, _type: name.endswith((".png", ".svg", ".txt"))), BY_ID),
        (files(takes=lambda _name, kind: kind in PLAIN_TYPES, serve=by_ending), BY_ID),
        (
            files(takes=lambda name, _type: name.endswith((".png", ".txt"))),
            BY_ID,
        ),
        (
            files(
                says=lambda _number, name: {"url": f"http://127.0.0.1:9/media/{name}"},
                at=lambda _number, name: f"/media/{name}",
            ),
            PATHS,
        ),
        (
            files(
                says=lambda _number, name: {"file": {"path": f"media/{name}"}},
                at=lambda _number, name: f"/media/{name}",
            ),
            PATHS,
        ),
        (
            files(
                says=lambda _number, name: {"stored_as": f"u-{name}"},
                at=lambda _number, name: f"/uploads/u-{name}",
            ),
            BY_NAME,
        ),
        (
            files(says=lambda _number, _name: {"ok": True}, at=lambda _n, name: f"/uploads/{name}"),
            BY_NAME,
        ),
    ],
    ids=[
        "by the type sent", "by the ending", "with a weak policy", "without a type",
        "drawings only", "types only", "endings only",
        "an address", "a path", "a new name", "its own name",
    ],
)  # fmt: skip
def test_a_page_that_is_served_as_one_is_found(server: Server, paths: dict[str, Any]) -> None:
    (finding,) = findings(UPLOAD, server, paths)
    assert finding.parameter == "body file"
    assert finding.operations == ("POST /files",)


ATTACHMENT = {"Content-Disposition": 'attachment; filename="x"'}


@pytest.mark.parametrize(
    "server",
    [
        files(serve=lambda name, kind: as_sent(name, kind) | ATTACHMENT),
        files(serve=lambda _name, _type: {"Content-Type": "application/octet-stream"}),
        files(serve=lambda _name, _type: {"Content-Type": "text/plain"}),
        files(serve=lambda _name, _type: {"X-Content-Type-Options": "nosniff"}),
        files(
            serve=lambda name, kind: as_sent(name, kind) | {"Content-Security-Policy": "sandbox"}
        ),
        files(
            serve=lambda name, kind: (
                as_sent(name, kind) | {"Content-Security-Policy": "default-src 'self'; img-src *"}
            )
        ),
        files(takes=lambda name, kind: name.endswith(".txt") and kind == "text/plain"),
        files(clean=lambda content: re.sub(rb"<script>.*?</script>", b"", content)),
    ],
    ids=[
        "download",
        "bytes",
        "text",
        "nosniff",
        "sandbox",
        "no inline scripts",
        "refused",
        "cleaned",
    ],
)
def test_a_file_that_no_browser_would_run_is_not_reported(server: Server) -> None:
    told, reason = state(UPLOAD, server, BY_ID, "POST /files")
    assert told is CoverageState.PASSED, reason


def test_a_file_that_is_shown_as_text_in_json_is_not_reported() -> None:
    kept: list[str] = []

    def server(request: Request) -> Response:
        if request.method == "POST":
            kept.append(request.body.decode("utf-8", "replace"))
            return answer(201, {"id": 4711})
        return answer(200, {"content": kept[-1]}) if kept else not_found()

    assert findings(UPLOAD, server, BY_ID) == ()


def test_a_file_whose_copy_cannot_be_found_is_not_said_to_be_safe() -> None:
    server = files(says=lambda _number, _name: {"ok": True})
    told, reason = state(UPLOAD, server, PATHS)
    assert told is CoverageState.INCONCLUSIVE
    assert "could not be found" in reason


def test_a_file_that_is_the_whole_body_is_found_under_the_name_in_its_path() -> None:
    kept: dict[str, tuple[str, bytes]] = {}
    name = {"in": "path", "name": "filename", "required": True, "schema": {"type": "string"}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    paths = {
        "/objects/{filename}": {
            "put": operation(secured=False)
            | {
                "parameters": [name],
                "requestBody": {"content": {"application/octet-stream": binary}, "required": True},
            },
            "get": operation(secured=False) | {"parameters": [name]},
        }
    }

    def server(request: Request) -> Response:
        if request.method == "PUT":
            kept[last_segment(request)] = (request.header("content-type") or "", request.body)
            return answer(200, {})
        if last_segment(request) not in kept:
            return not_found()
        media_type, content = kept[last_segment(request)]
        return Response(status=200, headers=(("Content-Type", media_type),), body=content)

    (finding,) = findings(UPLOAD, server, paths)
    assert "served as text/html" in finding.detail

    def careful(request: Request) -> Response:
        response = server(request)
        return replace(response, headers=(*response.headers, *ATTACHMENT.items()))

    assert findings(UPLOAD, careful, paths) == ()


def test_the_upload_is_a_form_that_browsers_would_send() -> None:
    from withstand.scan.catalogue import check_named

    _, exchanges = scanned(files(), BY_ID, checks=(check_named(UPLOAD),))
    forms = [e.request.body for e in exchanges if b"<script>" in e.request.body]
    assert forms
    for form in forms:
        assert form.count(b'name="title"') == 1
        assert form.endswith(b"--\r\n")
