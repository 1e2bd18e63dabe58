"""Refusals that come with a 2xx: no check takes one for access, and none hides what is open."""

import json
from typing import Any

import pytest

from tests.scan.checks.tiny_api import findings, identities, scanned
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, page

CHECKS = (
    "missing-credential-accepted",
    "garbage-credential-accepted",
    "object-readable-by-other-user",
    "object-changeable-by-other-user",
    "object-deletable-by-other-user",
    "object-of-other-user-by-parameter",
    "list-shows-other-users-objects",
    "operation-open-to-lower-role",
    "old-version-less-guarded",
    "path-variant-bypasses-access",
)
REFUSALS = {
    "success": answer(200, {"success": False}),
    "ok": answer(200, {"ok": 0}),
    "code": answer(200, {"code": 40301, "msg": "not yours"}),
    "null": answer(200, None),
    "list": answer(200, []),
    "object": answer(200, {}),
    "words": answer(200, {"hinweis": "Bitte anmelden"}),
    "nothing": Response(status=204),
    "page": page(200, "<h1>Bitte anmelden</h1>"),
}


def refusing(server: Server, refusal: Response, *statuses: int) -> Server:
    """The server with another refusal in the place of those."""

    def softly(request: Request) -> Response:
        response = server(request)
        return refusal if response.status in (statuses or (401, 403, 404)) else response

    return softly


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(refusal, id=name, marks=() if name == "words" else pytest.mark.slow)
        for name, refusal in REFUSALS.items()
    ],
)
def test_a_refusal_in_a_success_is_no_access_and_hides_none(refusal: Response) -> None:
    told: dict[str, tuple[bool, bool]] = {}
    for name in CHECKS:
        check, example = check_named(name), check_named(name).example
        found = []
        for server, tokens in (
            (example.safe(), example.safe_tokens or example.tokens),
            (example.vulnerable(), example.tokens),
        ):
            record, _ = scanned(
                refusing(server, refusal),
                example.paths,
                checks=(check,),
                policy=example.policy,
                people=identities(tokens=tokens, cookie=example.cookie),
                login=example.login,
            )
            found.append(bool(record.findings))
        told[name] = (found[0], found[1])
    assert told == dict.fromkeys(CHECKS, (False, True))


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_stranger_who_is_politely_sent_away_has_not_been_served(refusal: Response) -> None:
    """The document says of no operation that it needs a credential."""
    example = check_named("object-readable-by-other-user").example
    paths = json.loads(json.dumps(example.paths).replace('"security"', '"x-security"'))

    def found(server: Server) -> int:
        softly = refusing(server, refusal, 401)
        return len(findings("object-readable-by-other-user", softly, paths))

    assert (found(example.safe()), found(example.vulnerable())) == (0, 1)


@pytest.mark.parametrize(
    "check", ["object-readable-by-other-user", "object-of-other-user-by-parameter"]
)
def test_an_error_that_comes_with_the_data_has_refused_nothing(check: str) -> None:
    example = check_named(check).example

    def complaining(server: Server) -> Server:
        def complains(request: Request) -> Response:
            response = server(request)
            by_bob = "bob" in (request.header("authorization") or "")
            if response.status != 200 or not by_bob or request.operation_path == "/me":
                return response
            document: dict[str, Any] = response.json()
            return answer(200, {"success": False, "error": "not yours", **document})

        return complains

    assert len(findings(check, complaining(example.vulnerable()), example.paths)) == 1
    assert findings(check, complaining(example.safe()), example.paths) == ()


def test_a_change_that_is_refused_with_the_object_gives_it_away() -> None:
    check = check_named("refusal-leaks-data")

    def softly(server: Server) -> Server:
        def soft(request: Request) -> Response:
            response = server(request)
            if response.status != 403 or request.method == "GET":
                return response
            return answer(200, {"success": False, **response.json()})

        return soft

    paths = json.loads(json.dumps(check.example.paths))
    item = next(path for path in paths if path.endswith("}"))
    paths[item]["delete"] = paths[item].get("delete") or paths[item]["get"]
    found = findings(check.name, softly(check.example.vulnerable()), paths)
    assert f"DELETE {item}" in {finding.operations[0] for finding in found}
    assert findings(check.name, softly(check.example.safe()), paths) == ()
