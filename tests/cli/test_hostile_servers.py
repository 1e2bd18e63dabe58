"""Whatever a server does, a scan ends within its budget, with a verdict and a sentence."""

import gzip
import itertools
import json
import socket
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke
from tests.cli.hostile_server import Behaviour, answer, serving

CONFIG = """
[target]
base_url = "{url}"
openapi = "openapi.json"
timeout = "{timeout}"

[identities]
alice = {{ role = "user", token = "alice-token-1234" }}
bob = {{ role = "user", token = "bob-token-5678" }}

[security.budget]
duration = "{duration}"
"""
IN_TURN = ("POST /notes", "GET /notes", "GET /notes/{id}")


def document(collections: int = 1) -> dict[str, Any]:
    security: list[dict[str, list[str]]] = [{"bearer": []}]
    fine = {"200": {"description": "fine"}}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    search = {"name": "q", "in": "query", "schema": {"type": "string"}}
    note = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    body = {"required": True, "content": {"application/json": {"schema": note}}}
    rest = {"security": security, "responses": fine}
    paths: dict[str, Any] = {"/me": {"get": rest}}
    for name in ("notes", *(f"notes{index}" for index in range(1, collections))):
        paths[f"/{name}"] = {
            "get": {**rest, "parameters": [search]},
            "post": {**rest, "requestBody": body},
        }
        paths[f"/{name}/{{id}}"] = {
            "get": {**rest, "parameters": [number]},
            "delete": {**rest, "parameters": [number]},
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Notes", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def write(folder: Path, url: str, *, timeout: str = "200ms", duration: str = "20s") -> None:
    (folder / "openapi.json").write_text(json.dumps(document()))
    (folder / "withstand.toml").write_text(
        CONFIG.format(url=url, timeout=timeout, duration=duration)
    )


def says(status: int, body: bytes, media_type: str = "application/json") -> Behaviour:
    return lambda connection, _path: answer(connection, status, body, media_type)


def only_notes(behave: Behaviour) -> Behaviour:
    """The rest of the API is well."""

    def either(connection: socket.socket, path: str) -> None:
        if path.startswith("/notes"):
            behave(connection, path)
        else:
            answer(connection, 404 if path == "/" else 200, b'{"name": "Alice"}')

    return either


def hangs(connection: socket.socket, _path: str) -> None:
    connection.settimeout(30)
    connection.recv(1)  # until the scan hangs up


def resets(connection: socket.socket, _path: str) -> None:
    connection.close()


def turns_in_circles(connection: socket.socket, path: str) -> None:
    answer(connection, 302, b"", "text/html", f"Location: {path}")


def talks_nonsense(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"\x00\x01 what?\r\n\r\n")


def never_stops(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in itertools.count():
        connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def drips(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in itertools.count():
        connection.sendall(b"x")
        time.sleep(0.02)


def is_huge(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x" * 1_000_000)


@cache
def bomb() -> bytes:
    """Made when it is needed: it takes half a second, and every worker imports this module."""
    return gzip.compress(b"0" * 80_000_000)


def is_a_bomb(connection: socket.socket, _path: str) -> None:
    answer(connection, 200, bomb(), "application/json", "Content-Encoding: gzip")


@pytest.mark.parametrize("behave", [hangs, resets, talks_nonsense])
def test_a_server_that_never_answers_is_said_to_be_unreachable(
    invoke: Invoke, folder: Path, behave: Behaviour
) -> None:
    with serving(behave) as url:
        write(folder, url)
        outcome = invoke("scan", "-q")

    assert outcome.code == 3, outcome.said
    assert "does not answer" in outcome.said
    assert "→" in outcome.said


@pytest.mark.parametrize(
    "behave",
    [
        says(500, b"Internal Server Error", "text/plain"),
        says(404, b"<h1>Not found</h1>", "text/html"),
        says(401, b'{"error": "who are you?"}'),
        turns_in_circles,
    ],
    ids=["500", "404", "401", "redirects"],
)
def test_where_no_operation_ever_succeeds_the_run_says_nothing(
    invoke: Invoke, folder: Path, behave: Behaviour
) -> None:
    with serving(behave) as url:
        write(folder, url)
        outcome = invoke("scan", "-q", "--json", "found.json")

    assert outcome.code == 3, outcome.said
    assert "No operation answered" in outcome.said
    assert json.loads((folder / "found.json").read_text())["scan"]["findings"] == []


@pytest.mark.parametrize(
    "behave",
    [
        says(200, b'{"ok": true}'),
        says(200, b"<h1>Welcome</h1>", "text/html"),
        says(200, b""),
        says(204, b""),
    ],
    ids=["json", "html", "empty", "204"],
)
def test_a_server_that_says_yes_to_everything_proves_nothing(
    invoke: Invoke, folder: Path, behave: Behaviour
) -> None:
    with serving(behave) as url:
        write(folder, url)
        outcome = invoke("scan", "-q", "--json", "found.json")

    found = json.loads((folder / "found.json").read_text())["scan"]
    assert found["findings"] == []
    assert outcome.code == 0, outcome.said
    assert "could not tell" in outcome.said


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (hangs, "timed-out"),
        (drips, "timed-out"),
        (resets, "reset"),
        (never_stops, "too-large"),
        (is_huge, "too-large"),
        (is_a_bomb, "too-large"),
    ],
)
def test_what_gives_no_usable_answer_is_untested_and_the_rest_is_tested(
    invoke: Invoke, folder: Path, behave: Behaviour, reason: str
) -> None:
    timeout = "5s" if reason == "too-large" else "200ms"
    with serving(only_notes(behave)) as url:
        write(folder, url, timeout=timeout)
        outcome = invoke("scan", "-q", "--json", "found.json")

    scan = json.loads((folder / "found.json").read_text())["scan"]
    untested = [note for note in scan["notes"] if note.startswith(IN_TURN)]
    assert len(untested) == len(IN_TURN), outcome.said
    assert all(reason in note for note in untested)
    states = {row["check"]: row["state"] for row in scan["coverage"] if row["operation"]}
    assert states
    assert not any(finding["operations"][0].split()[1].startswith("/notes")
                   for finding in scan["findings"])  # fmt: skip


@pytest.mark.slow
def test_a_document_of_two_thousand_operations_ends_with_the_budget(
    invoke: Invoke, folder: Path
) -> None:
    with serving(says(200, b'{"id": 7, "text": "a note"}')) as url:
        write(folder, url, duration="1s")
        (folder / "openapi.json").write_text(json.dumps(document(500)))
        outcome = invoke("scan", "-q", "--json", "found.json")

    scan = json.loads((folder / "found.json").read_text())["scan"]
    assert len(scan["operations"]) == 2_001
    assert "the budget of 1 s is spent" in outcome.said
