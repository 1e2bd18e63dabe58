"""A document in several files, fetched over HTTP from the server that has it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scan.served_example import ServedApi, served
from withstand.client.exchange import Request, Response
from withstand.client.target import parse_target
from withstand.errors import UsageError
from withstand.workflows import documents, fetch_document

ORDERS = b"""
get: {responses: {"200": {$ref: '../shared/answers.json#/Found'}}}
"""
FILES = {
    "/docs/paths/the orders.yaml": ORDERS,
    "/docs/shared/answers.json": json.dumps({"Found": {"description": "found"}}).encode(),
}


def document(*references: str) -> bytes:
    paths = {f"/orders{number}": {"$ref": each} for number, each in enumerate(references)}
    whole = {"openapi": "3.1.0", "paths": {"/health": {"get": {"responses": {}}}, **paths}}
    return json.dumps(whole).encode()


@contextmanager
def serving(main: bytes, files: dict[str, bytes]) -> Iterator[tuple[ServedApi, str]]:
    everything = {"/docs/openapi.json": main, **files}

    def server(request: Request) -> Response:
        found = everything.get(request.operation_path.replace("%20", " "))
        return Response(status=404) if found is None else Response(status=200, body=found)

    with served(server) as api:
        yield api, f"{api.url}/docs/openapi.json?version=1"


def test_files_beside_a_fetched_document_are_fetched_from_the_same_server() -> None:
    with serving(document("paths/the%20orders.yaml"), FILES) as (api, location):
        found = fetch_document(location, parse_target(api.url))
    assert [operation.key for operation in found.operations] == ["GET /health", "GET /orders0"]
    assert found.problems == ()


def test_what_is_missing_elsewhere_or_no_document_is_not_asked_for_and_said() -> None:
    references = ("gone.yaml", "http://127.0.0.2:9/a.yaml", "reset-everything", "//a.test/a.json")
    with serving(document(*references), {}) as (api, location):
        found = fetch_document(location, parse_target(api.url))
        asked = [path for _, path in api.asked]
    assert [operation.key for operation in found.operations] == ["GET /health"]
    assert len(found.problems) == len(references)
    assert asked == ["/docs/openapi.json?version=1", "/docs/gone.yaml"]


def test_a_document_in_endless_files_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "_MOST_FILES", 3)
    chain = {
        f"/docs/{number}.json": json.dumps({"$ref": f"{number + 1}.json"}).encode()
        for number in range(9)
    }
    with (
        serving(document("0.json"), chain) as (api, location),
        pytest.raises(UsageError, match=r"more files than are fetched: 3 at most"),
    ):
        fetch_document(location, parse_target(api.url))
