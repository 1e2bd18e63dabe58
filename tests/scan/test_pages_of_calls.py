"""A website whose pages are programs, `/ticket_view.php?id=7`: its rows say which objects exist."""

import itertools
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.scan.checks.tiny_api import findings
from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import caller, operation, page, query

PARAMETER = "object-of-other-user-by-parameter"
READ = "object-readable-by-other-user"
_TEXT = {"type": "string", "minLength": 1}


def _form(**fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


PATHS: dict[str, Any] = {
    "/home.php": {"get": operation()},
    "/ticket_list.php": {"get": operation()},
    "/ticket_add.php": {"post": operation(requestBody=_form(subject=_TEXT))},
    "/ticket_view.php": {"get": operation(parameters=(("query", "id"),))},
    "/ticket_delete.php": {"post": operation(requestBody=_form(id=_TEXT))},
}


def tickets(*, scoped: bool, made: bool = True) -> Server:
    """The website. Without `made` nobody can add a ticket, everybody has two."""
    kept: dict[str, tuple[str, str]] = {}
    numbers = itertools.count(101)
    for at, name in enumerate(("alice", "bob", "bob", "alice") * (not made)):
        kept[str(next(numbers))] = (name, f"an old ticket {at}")

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return Response(status=302, headers=(("Location", "/login.php"),))
        program = request.operation_path
        fields = {key: each[0] for key, each in parse_qs(request.body.decode()).items()}
        if program == "/home.php":
            return page(200, f"<h1>Hello {name}</h1><a href=/ticket_list.php>Tickets</a>")
        if program == "/ticket_list.php":
            rows = (
                f'<tr data-row="1"><td>{text}<td><a href="ticket_view.php?id={number}">open</a>'
                for number, (owner, text) in kept.items()
                if owner == name
            )
            return page(200, f"<title>Tickets</title><table>{''.join(rows)}</table>")
        if program == "/ticket_add.php" and made:
            kept[str(next(numbers))] = (name, fields.get("subject", ""))
            return Response(status=302, headers=(("Location", "/ticket_list.php"),))
        number = query(request, "id") or fields.get("id", "")
        owner, text = kept.get(number, ("", ""))
        if not owner or (scoped and owner != name):
            return page(200, "<title>Tickets</title><p>Dieses Ticket gibt es nicht.</p>")
        if program == "/ticket_view.php":
            return page(200, f"<title>Ticket {number}</title><p>{text}</p>")
        if program == "/ticket_delete.php":
            del kept[number]
            return Response(status=302, headers=(("Location", "/ticket_list.php"),))
        return page(404, "<title>Not found</title>")

    return server


def test_a_row_gives_the_id_of_what_a_form_has_made() -> None:
    found = findings(PARAMETER, tickets(scoped=False), PATHS)
    assert {finding.operations[0] for finding in found} == {
        "GET /ticket_view.php",
        "POST /ticket_delete.php",
    }
    assert findings(PARAMETER, tickets(scoped=True), PATHS) == ()


@pytest.mark.parametrize("scoped", [True, False])
def test_rows_that_have_nothing_in_common_say_whose_a_thing_is(scoped: bool) -> None:
    paths = {path: op for path, op in PATHS.items() if path != "/ticket_add.php"}
    found = findings(PARAMETER, tickets(scoped=scoped, made=False), paths)
    assert [finding.operations[0] for finding in found] == ["GET /ticket_view.php"] * (not scoped)
