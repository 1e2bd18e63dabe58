"""Documents as generators of frameworks write them: parameters by name, files as addresses."""

import json
from typing import Any

from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named

from .small_api import answer, scanned

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
SECURED: list[dict[str, list[str]]] = [{"bearer": []}]


def place(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": NUMBER}


def operation(schema: dict[str, Any] | None = None, *media_types: str) -> dict[str, Any]:
    content = {media_type: {"schema": schema} for media_type in media_types}
    body = {"requestBody": {"required": True, "content": content}} if content else {}
    return {"security": SECURED, "responses": {"200": {"description": "fine"}}, **body}


def taking(media_types: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return operation(schema, *media_types)


JSON = ("application/json",)
PATHS: dict[str, Any] = {
    "/me/": {"get": operation()},
    "/issues/": {
        "get": operation(),
        "post": taking(JSON, title=TEXT, assignee_id={**NUMBER, "nullable": True}),
    },
    "/issues/{issue_pk}/": {
        "parameters": [place("issue_pk")],
        "get": operation(),
        "delete": operation(),
    },
    "/issues/{issue_pk}/comments/": {
        "parameters": [place("issue_pk")],
        "get": operation(),
        "post": taking(JSON, body=TEXT),
    },
    "/issues/{issue_pk}/comments/{id}/": {
        "parameters": [place("id"), place("issue_pk")],
        "get": operation(),
        "delete": operation(),
    },
    "/issues/{issue_pk}/drawings/": {
        "parameters": [place("issue_pk")],
        "post": taking((*JSON, "multipart/form-data"), content={"type": "string", "format": "uri"}),
    },
    "/reports/": {"post": taking(JSON, issue=TEXT)},
}


class Issues:
    """Issues of users, their comments and drawings. Issues and comments are counted apart."""

    def __init__(self, *, anybodys: bool = False) -> None:
        self.anybodys = anybodys  # whether comments are read without a look at whose issue it is
        self.issues: dict[int, tuple[str, str]] = {}
        self.comments: dict[int, tuple[int, str]] = {}
        self.made = 40

    def __call__(self, request: Request) -> Response:
        user = (
            (request.header("authorization") or "").removeprefix("Bearer ").removesuffix("-token")
        )
        if user not in {"alice", "bob", "root"}:
            return answer(401, {"detail": "Authentication credentials were not provided."})
        parts = [part for part in request.operation_path.split("/") if part]
        match request.method, parts:
            case "GET", ["me"]:
                return answer(200, {"username": user})
            case "GET", ["issues"]:
                return self._page(request, user)
            case "POST", ["issues"]:
                self.made += 1
                self.issues[self.made] = (user, json.loads(request.body)["title"])
                return self._issue(self.made)
            case "POST", ["reports"]:
                issue = json.loads(request.body)["issue"]
                if not str(issue).isdigit() or self._owner(issue) != user:
                    return answer(
                        400, {"issue": [f'Invalid pk "{issue}" - object does not exist.']}
                    )
                return answer(200, {"text": "all is well"})
            case method, ["issues", number, *rest]:
                reads = method == "GET" and self.anybodys and bool(rest)
                if self._owner(number) is None or not (reads or self._owner(number) == user):
                    return answer(404, {"detail": "No Issue matches the given query."})
                return self._in_issue(request, int(number), rest)
        return Response(status=404)

    def _owner(self, number: object) -> str | None:
        return self.issues.get(int(str(number)), (None, ""))[0] if str(number).isdigit() else None

    def _issue(self, number: int) -> Response:
        return answer(201, {"id": number, "title": self.issues[number][1]})

    def _page(self, request: Request, user: str) -> Response:
        """Two at a time, the oldest first."""
        own = [{"id": n, "title": title} for n, (who, title) in self.issues.items() if who == user]
        at = int(request.path.partition("at=")[2] or 0)
        further = f"http://127.0.0.1:9/issues/?at={at + 2}" if len(own) > at + 2 else None
        return answer(200, {"count": len(own), "next": further, "results": own[at : at + 2]})

    def _in_issue(self, request: Request, issue: int, rest: list[str]) -> Response:
        match request.method, rest:
            case "GET", []:
                return self._issue(issue)
            case "DELETE", []:
                del self.issues[issue]
                return Response(status=204)
            case "GET", ["comments"]:
                return answer(200, [c for c in map(self._comment, self.comments) if c])
            case "POST", ["comments"]:
                number = len(self.comments) + 1
                self.comments[number] = (issue, json.loads(request.body)["body"])
                return answer(201, self._comment(number))
            case "POST", ["drawings"]:
                if b'filename="' not in request.body:
                    message = "The submitted data was not a file. Check the encoding type."
                    return answer(400, {"content": [message]})
                return answer(201, {"id": 1})
            case method, ["comments", number] if int(number) in self.comments:
                if self.comments[int(number)][0] != issue:
                    return answer(404, {"detail": "No Comment matches the given query."})
                found = self._comment(int(number))
                if method == "DELETE":
                    self.comments[int(number)] = (0, "")
                return answer(204 if method == "DELETE" else 200, found)
        return answer(404, {"detail": "Not found."})

    def _comment(self, number: int) -> dict[str, Any]:
        return {"id": number, "body": self.comments[number][1]}


def test_every_operation_has_a_request_that_succeeds() -> None:
    record, _ = scanned(server=Issues(), paths=PATHS)
    untested = [note for note in record.notes if any(f" {path} " in note for path in PATHS)]
    assert untested == []


def test_what_is_made_inside_another_thing_is_found_where_it_was_made() -> None:
    check = check_named("object-readable-by-other-user")
    record, _ = scanned(check, server=Issues(anybodys=True), paths=PATHS)
    found = {operation for finding in record.findings for operation in finding.operations}
    assert "GET /issues/{issue_pk}/comments/{id}/" in found
    record, _ = scanned(check, server=Issues(), paths=PATHS)
    assert not record.findings


def test_an_object_on_a_later_page_of_a_list_is_seen() -> None:
    check, server = check_named("list-shows-other-users-objects"), Issues()
    server.issues.update({number: ("alice", f"An old one: {number}") for number in range(5)})
    record, _ = scanned(check, server=server, paths=PATHS)
    (cell,) = [cell for cell in record.coverage if cell.operation == "GET /issues/"]
    assert cell.state == "passed", cell
