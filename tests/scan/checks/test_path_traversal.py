"""Ways out of the folder of files: which are found, and what is not taken for one."""

import base64
import ntpath
import posixpath
from typing import Any
from urllib.parse import unquote

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import (
    answer,
    body,
    not_found,
    operation,
    page,
    query,
    sent,
)

from .tiny_api import findings, scanned, search

TRAVERSAL = "path-traversal"
PASSWD = "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1::/:/bin/false\n"


def reading(resolve: Any) -> Server:
    def server(request: Request) -> Response:
        path = resolve(query(request, "q"))
        if path == "/etc/passwd":
            return answer(200, {"text": PASSWD})
        return page(200, "tea", "text/plain") if path == "/srv/tea" else not_found()

    return server


@pytest.mark.parametrize(
    "server",
    [
        reading(lambda name: posixpath.normpath("/srv/" + name)),
        reading(lambda name: posixpath.join("/srv", name) if ".." not in name else ""),
        reading(lambda name: posixpath.normpath("/srv/" + name.replace("../", ""))),
        reading(
            lambda name: posixpath.normpath("/srv/" + unquote(name)) if "/" not in name else ""
        ),
    ],
    ids=["plain", "absolute", "once removed", "decoded twice"],
)
def test_each_way_out_of_the_folder_is_found(server: Server) -> None:
    (finding,) = findings(TRAVERSAL, server, search())
    assert finding.evidence[0].highlight is not None
    assert finding.evidence[0].highlight.startswith("root:")


WIN_INI = "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n"


@pytest.mark.parametrize(
    "resolve",
    [
        lambda name: ntpath.normpath("C:\\srv\\" + name),
        lambda name: ntpath.join("C:\\srv", name) if ".." not in name else "",
        lambda name: ntpath.normpath("C:\\srv\\" + name) if "/" not in name else "",
    ],
    ids=["plain", "absolute", "slashes refused"],
)
def test_a_way_out_on_windows_is_found(resolve: Any) -> None:
    def server(request: Request) -> Response:
        path = resolve(query(request, "q"))
        if path.lower() == "c:\\windows\\win.ini":
            return page(200, WIN_INI, "text/plain")
        return page(200, "tea", "text/plain") if path == "C:\\srv\\tea" else not_found()

    (finding,) = findings(TRAVERSAL, server, search())
    assert "win.ini" in finding.detail


def test_a_file_that_comes_back_in_base64_is_found() -> None:
    plain = reading(lambda name: posixpath.normpath("/srv/" + name))

    def server(request: Request) -> Response:
        response = plain(request)
        text = (response.json() or {}).get("text", "")
        return answer(response.status, {"content": base64.b64encode(text.encode()).decode()})

    (finding,) = findings(TRAVERSAL, server, search())
    assert finding.parameter == "query q"


def test_a_way_out_behind_the_folder_that_must_come_first_is_found() -> None:
    server = reading(
        lambda name: posixpath.normpath("/srv/" + name) if name.startswith("manuals/") else ""
    )
    (finding,) = findings(TRAVERSAL, server, search("manuals/tea.txt"))
    assert finding.parameter == "query q"


def test_an_address_of_a_file_is_found() -> None:
    def server(request: Request) -> Response:
        url = str(sent(request).get("url"))
        if url.startswith("file://"):
            path = url.removeprefix("file://")
            return page(200, PASSWD, "text/plain") if path == "/etc/passwd" else not_found()
        return answer(200, {"fetched": url})

    fields = body(url={"type": "string", "format": "uri"})
    paths = {"/pages": {"post": operation(secured=False, requestBody=fields)}}
    (finding,) = findings(TRAVERSAL, server, paths)
    assert finding.parameter == "body url"


def test_dots_that_are_decoded_after_the_route_was_chosen_are_found() -> None:
    def server(request: Request) -> Response:
        raw = request.operation_path.removeprefix("/files/")
        if "/" in raw:
            return not_found()
        path = posixpath.normpath("/srv/" + unquote(raw))
        if path == "/etc/passwd":
            return page(200, PASSWD, "text/plain")
        return page(200, "tea", "text/plain") if path.startswith("/srv/") else not_found()

    paths = {"/files/{name}": {"get": operation(secured=False, parameters=(("path", "name"),))}}
    (finding,) = findings(TRAVERSAL, server, paths)
    assert finding.parameter == "path name"


def test_a_text_that_is_no_name_of_a_file_costs_two_requests_in_a_write() -> None:
    from withstand.scan.catalogue import check_named

    fields = body(comment={"type": "string"})
    paths = {"/comments": {"post": operation(secured=False, requestBody=fields)}}

    def server(request: Request) -> Response:
        return answer(201, {"comment": sent(request).get("comment")})

    _, without = scanned(server, paths, checks=())
    _, exchanges = scanned(server, paths, checks=(check_named(TRAVERSAL),))
    assert len(exchanges) - len(without) == 2


def test_a_way_out_through_the_path_itself_is_found() -> None:
    def server(request: Request) -> Response:
        path = posixpath.normpath("/srv" + request.operation_path.removeprefix("/files"))
        if path == "/etc/passwd":
            return page(200, PASSWD, "text/plain")
        return page(200, "tea", "text/plain") if path.startswith("/srv/") else not_found()

    paths = {"/files/{name}": {"get": operation(secured=False, parameters=(("path", "name"),))}}
    (finding,) = findings(TRAVERSAL, server, paths)
    assert finding.parameter == "path name"


@pytest.mark.parametrize("leads_out", [True, False])
def test_a_folder_of_which_no_file_is_known_is_tried_behind_an_error_in_a_200(
    leads_out: bool,
) -> None:
    def server(request: Request) -> Response:
        path = posixpath.normpath("/srv/" + query(request, "file"))
        if path == "/etc/passwd" and leads_out:
            return page(200, PASSWD, "text/plain")
        return answer(200, {"success": False, "error": "no such file"})

    parameters = (("query", "file"),)
    paths = {"/export": {"get": operation(secured=False, parameters=parameters)}}
    assert len(findings(TRAVERSAL, server, paths)) == leads_out


@pytest.mark.parametrize(
    "server",
    [
        lambda request: answer(200, {"you asked for": query(request, "q")}),
        lambda _request: page(200, PASSWD, "text/plain"),
        reading(lambda name: "/srv/tea" if name == "tea" else ""),
    ],
    ids=["echo", "always the same", "safe"],
)
def test_what_does_not_leave_the_folder_is_not_reported(server: Server) -> None:
    assert findings(TRAVERSAL, server, search()) == ()
