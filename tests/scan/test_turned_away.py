"""What a target turns away before it looks at it proves nothing."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.scan.checks import tiny_api
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.records.record import CoverageState

CHANGED = "object-changeable-by-other-user"


def asks_bob_for_a_token(server: Server, refusal: Response) -> Server:
    def answer(request: Request) -> Response:
        by_bob = "bob" in (request.header("authorization") or "")
        return refusal if by_bob and request.method == "PUT" else server(request)

    return answer


@pytest.mark.parametrize(
    ("headers", "text", "state"),
    [
        (
            (("Content-Type", "application/json"),),
            json.dumps({"detail": "CSRF Failed: CSRF token missing."}),
            CoverageState.INCONCLUSIVE,
        ),
        (
            (("Content-Type", "text/html"),),
            "<h1>Forbidden</h1><p>The request may be forged.</p>",
            CoverageState.INCONCLUSIVE,
        ),
        (
            (("Content-Type", "text/html"),),
            '<p>Not yours</p><input type="hidden" name="csrf_token" value="1">',
            CoverageState.PASSED,
        ),
    ],
)
def test_a_write_without_a_token_against_forgery_passes_no_check(
    headers: Any, text: str, state: CoverageState
) -> None:
    example = check_named(CHANGED).example
    refusal = Response(status=403, headers=headers, body=text.encode())

    found, reason = tiny_api.state(
        CHANGED, asks_bob_for_a_token(example.safe(), refusal), example.paths, "PUT /letters/{id}"
    )

    assert found is state
    assert ("PUT /letters/" in reason) is (state is CoverageState.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("for_whom", "state"), [("bob", CoverageState.PASSED), ("", CoverageState.INCONCLUSIVE)]
)
def test_a_form_that_its_owner_cannot_send_either_was_refused_for_something_else(
    for_whom: str, state: CoverageState
) -> None:
    example = check_named(CHANGED).example
    server, refused = example.safe(), Response(status=403, body=b"Die Sitzung ist abgelaufen.")

    def forms(request: Request) -> Response:
        if request.method == "PUT" and for_whom in (request.header("authorization") or ""):
            return refused
        fields = dict(parse_qsl(request.body.decode()))
        return server(replace(request, body=json.dumps(fields).encode()))

    paths = json.loads(
        json.dumps(example.paths).replace("application/json", "application/x-www-form-urlencoded")
    )
    found, _ = tiny_api.state(CHANGED, forms, paths, "PUT /letters/{id}")

    assert found is state
