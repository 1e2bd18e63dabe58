"""A small API in memory, and scans of it: notes that belong to users, behind bearer tokens."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.scripted import Scripted
from withstand.client.target import parse_target
from withstand.openapi.document import read_document
from withstand.openapi.given_values import GivenValues
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Outcome,
    Per,
    References,
    Safety,
    Steps,
    send,
    shown,
)
from withstand.scan.finding import Severity
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Policy
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.scanner import scan
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Budget

_NOTE = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
}
_BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}


def _operation(**more: Any) -> dict[str, Any]:
    return {"security": _BEARER, "responses": {"200": {"description": "fine"}}, **more}


PATHS: dict[str, Any] = {
    "/me": {"get": _operation()},
    "/notes": {
        "get": _operation(),
        "post": _operation(
            requestBody={"required": True, "content": {"application/json": {"schema": _NOTE}}}
        ),
    },
    "/notes/{id}": {
        "get": _operation(parameters=[_ID]),
        "delete": _operation(parameters=[_ID]),
    },
}


class Notes:
    """The server. `down` maps a path to the number of 503s it still answers."""

    def __init__(self) -> None:
        self.tokens = {f"Bearer {name}-token": name for name in ("alice", "bob", "root")}
        self.notes: dict[int, tuple[str, str]] = {}
        self.down: dict[str, int] = {}
        self._ids = itertools.count(4711)  # no number that one would guess

    def __call__(self, request: Request) -> Response:
        path = request.operation_path
        if self.down.get(path, 0) > 0:
            self.down[path] -= 1
            return Response(status=503)
        if path == "/":
            return Response(status=404)
        user = self.tokens.get(request.header("authorization") or "")
        if user is None:
            return answer(401, {"error": "who are you?"})
        if path == "/me":
            return answer(200, {"name": user})
        if path == "/notes" and request.method == "POST":
            number = next(self._ids)
            self.notes[number] = (user, json.loads(request.body)["text"])
            return answer(201, {"id": number, "text": self.notes[number][1]})
        if path == "/notes":
            own = [{"id": n, "text": text} for n, (who, text) in self.notes.items() if who == user]
            return answer(200, own)
        return self._note(request, user, int(path.rsplit("/", 1)[-1]))

    def _note(self, request: Request, user: str, number: int) -> Response:
        owner, text = self.notes.get(number, ("", ""))
        if owner != user:
            return answer(404, {"error": "no such note"})
        if request.method == "DELETE":
            del self.notes[number]
            return Response(status=204)
        return answer(200, {"id": number, "text": text})


def answer(status: int, document: object) -> Response:
    """A JSON response."""
    return Response(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(document).encode(),
    )


def identity(name: str, role: str = "user") -> Identity:
    """An identity that is logged in with a fixed token."""
    token = f"{name}-token"
    header = ("Authorization", f"Bearer {token}")
    return Identity(
        name=name,
        role=role,
        fields={"email": f"{name}@example.com"},
        credential=Credential(headers=(header,), token=token),
    )


EVERYBODY = (identity("alice"), identity("bob"), identity("root", "admin"))


def a_check(
    run: Callable[[Subject], Steps[Outcome]],
    *,
    name: str = "some-flaw",
    per: Per = Per.OPERATION,
    safety: Safety = Safety.READ_ONLY,
) -> Check:
    """A check made for one test."""

    def passes(_request: Request) -> Response:
        return Response(status=200)

    return Check(
        name=name,
        title="A flaw",
        family="tests",
        severity=Severity.HIGH,
        per=per,
        safety=safety,
        references=References(cwe=(1,)),
        explanation="It is there.",
        remedy="Take it away.",
        run=run,
        example=Example(paths={}, vulnerable=lambda: passes, safe=lambda: passes),
    )


def nothing(_subject: Subject) -> Steps[Outcome]:
    """The body of a check that looks at nothing and passes."""
    yield from ()
    return PASSED


def finds_everything(subject: Subject) -> Steps[Outcome]:
    """The body of a check that fails whatever the answer."""
    exchange = yield from send(subject.anonymous())
    return Failed(detail="open", evidence=(shown("anonymous", exchange),))


def finds_everything_in_the_api(subject: Subject) -> Steps[Outcome]:
    """The same, and the failure is the whole API's."""
    failed = yield from finds_everything(subject)
    assert isinstance(failed, Failed)
    return replace(failed, whole_api=True)


def planned(
    *checks: Check,
    identities: tuple[Identity, ...] = EVERYBODY,
    policy: Policy | None = None,
    paths: dict[str, Any] | None = None,
    budget: Budget | None = None,
    base_url: str = "http://127.0.0.1:9",
    login: LoginRecipe | None = None,
    given: GivenValues | None = None,
) -> ScanPlan:
    """A plan to scan the small API, or one with other `paths`."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": PATHS if paths is None else paths,
    }
    numbers = itertools.count(1)
    return ScanPlan(
        api=read_document(json.dumps(document).encode(), source="notes.json"),
        target=parse_target(base_url, allow=("api.example.com",)),
        policy=policy or Policy(),
        checks=checks,
        nonce=lambda: f"ws{next(numbers):024x}",
        identities=identities,
        budget=budget or Budget(),
        given=given or GivenValues(),
        login=login,
    )


def scanned(
    *checks: Check,
    server: Callable[[Request], Response] | None = None,
    stop: Callable[[], bool] = lambda: False,
    **more: Any,
) -> tuple[ScanRecord, tuple[Exchange, ...]]:
    """A scan of the small API with these checks: its record, and all that was sent."""
    transport = Scripted(server or Notes())
    record = asyncio.run(scan(planned(*checks, **more), transport, stop=stop))
    return record, tuple(transport.exchanges)


def states(record: ScanRecord, check: str = "some-flaw") -> dict[str | None, CoverageState]:
    """What became of each operation."""
    return {row.operation: row.state for row in record.coverage if row.check == check}
