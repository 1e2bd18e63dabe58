"""Changes that show late, caches, and deletions that only mark or that answer everybody alike."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.scan.checks.owned_things import Things, paths
from tests.scan.checks.tiny_api import findings, state
from withstand.client.exchange import Request, Response
from withstand.client.scripted import Scripted
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, last_segment, not_found
from withstand.scan.records.record import CoverageState

CHANGE = "object-changeable-by-other-user"
DELETE = "object-deletable-by-other-user"
ANYBODY = "missing-credential-accepted"
LATE_S = 0.3
STALE_S = 1.0
Clock = Callable[[], float]


def queued(things: Things, now_s: Clock) -> Server:
    """Changes are accepted at once and carried out later."""
    waiting: list[tuple[float, Request]] = []

    def server(request: Request) -> Response:
        while waiting and waiting[0][0] <= now_s():
            things(waiting.pop(0)[1])
        if request.method not in {"PUT", "DELETE"}:
            return things(request)
        thing = things.kept.get(last_segment(request))
        if thing is None or not (
            thing["owner"] == caller(request) or request.method in things.open_to_all
        ):
            return not_found()
        waiting.append((now_s() + LATE_S, request))
        return answer(202, {"accepted": True})

    return server


def cached(things: Things, now_s: Clock) -> Server:
    """What somebody has read is served to them again for a while."""
    kept: dict[tuple[str, str | None], tuple[float, Response]] = {}

    def server(request: Request) -> Response:
        if request.method != "GET":
            return things(request)
        key = request.path, caller(request)
        until_s, response = kept.get(key, (0.0, not_found()))
        if now_s() >= until_s:
            response = things(request)
            kept[key] = now_s() + STALE_S, response
        return response

    return server


def replicated(things: Things, now_s: Clock) -> Server:
    """What is new is readable a little later."""
    made_s: dict[str, float] = {}

    def server(request: Request) -> Response:
        made = made_s.get(last_segment(request))
        if request.method == "GET" and made is not None and now_s() < made + LATE_S:
            return not_found()
        response = things(request)
        if response.status == 201:
            made_s[str(response.json()["id"])] = now_s()
        return response

    return server


def found(
    check: str, wrap: Callable[[Things, Clock], Server], things: Things, document: dict[str, Any]
) -> int:
    def server(request: Request) -> Response:
        return wrapped(request)

    transport = Scripted(server)
    wrapped = wrap(things, transport.unix_time_s)
    return len(findings(check, server, document, transport=transport))


@pytest.mark.parametrize("wrap", [queued, cached, replicated])
@pytest.mark.parametrize(("check", "method"), [(CHANGE, "PUT"), (DELETE, "DELETE")])
def test_an_effect_that_shows_late_is_found_and_none_is_not(
    check: str, method: str, wrap: Callable[[Things, Clock], Server]
) -> None:
    document = paths("put", "delete")
    assert found(check, wrap, Things(open_to_all=frozenset({method})), document) == 1
    assert found(check, wrap, Things(), document) == 0
    polite = Things(pretends=frozenset({"PUT", "DELETE"}))
    assert found(check, wrap, polite, document) == 0


def test_what_changes_by_itself_was_not_changed_by_a_stranger() -> None:
    def becoming_ready(things: Things, now_s: Clock) -> Server:
        made_s: dict[str, float] = {}

        def server(request: Request) -> Response:
            response = things(request)
            number = last_segment(request)
            if response.status == 201:
                made_s[str(response.json()["id"])] = now_s()
            if number not in made_s or response.status != 200:
                return response
            ready = now_s() >= made_s[number] + LATE_S
            return answer(200, {**response.json(), "state": "ready" if ready else "pending"})

        return server

    polite = Things(pretends=frozenset({"PUT"}))
    assert found(CHANGE, becoming_ready, polite, paths("put")) == 0


@pytest.mark.parametrize("flawed", [False, True])
def test_a_deletion_without_a_credential_is_found_by_its_mark(flawed: bool) -> None:
    things = Things(soft_delete=True)

    def server(request: Request) -> Response:
        thing = things.kept.get(last_segment(request))
        if flawed and request.method == "DELETE" and caller(request) is None and thing is not None:
            thing["gone"] = True
            return Response(status=204)
        return things(request)

    assert len(findings(ANYBODY, server, paths("delete"))) == flawed


@pytest.mark.parametrize("flawed", [False, True])
def test_a_deletion_that_answers_everything_alike_decides_nothing(flawed: bool) -> None:
    """Nobody can read a letter, and whoever deletes one is told that it is gone."""
    things = Things()

    def server(request: Request) -> Response:
        thing = things.kept.get(last_segment(request))
        if request.method != "DELETE":
            return things(request) if caller(request) else UNAUTHENTICATED
        if thing is not None and (flawed or caller(request) == thing["owner"]):
            del things.kept[last_segment(request)]
        return answer(200, {"deleted": True})

    document = paths("delete")
    del document["/letters/{id}"]["get"]
    what, reason = state(ANYBODY, server, document, "DELETE /letters/{id}")
    assert what is CoverageState.INCONCLUSIVE
    assert "alike" in reason
