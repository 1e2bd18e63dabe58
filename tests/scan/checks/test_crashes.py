"""Input that brings a request, or the server, down: what must be found, and what must not."""

import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.client.scripted import Late, Scripted
from withstand.client.target import Target
from withstand.report.finding_text import finding_text
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, not_found, operation, page, query, sent
from withstand.scan.finding import Severity
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

VALUE = "unusual-value-crash"
MALFORMED = "malformed-body-crash"
NUL = "nul-byte-crash"
LARGE = "large-input-crash"
PATTERN = "regular-expression-blow-up"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

BOOKING = body(
    room={"type": "integer", "example": 3},
    guest={"type": "string", "example": "Ada"},
    day={"type": "string", "format": "date", "example": "2031-05-01"},
    kind={"type": "string", "enum": ["single", "double"]},
    extras={"type": "array", "items": {"type": "string"}, "example": ["towels"]},
)


def bookings(fields: dict[str, Any] = BOOKING) -> dict[str, Any]:
    return {"/bookings": {"post": operation(secured=False, requestBody=fields)}}


def listing(schema: dict[str, Any], place: str = "query") -> dict[str, Any]:
    path = "/things/{n}" if place == "path" else "/things"
    parameter = {"in": place, "name": "n", "schema": schema, "required": place == "path"}
    return {path: {"get": operation(secured=False) | {"parameters": [parameter]}}}


def unhandled(work: Callable[[Request], Any]) -> Server:
    """A server that answers 500 to whatever its code does not expect."""

    def server(request: Request) -> Response:
        try:
            return answer(200, {"done": str(work(request))[:80]})
        except Exception:
            return page(500, "<h1>Internal Server Error</h1>")

    return server


# --- odd values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "parameter", "kind"),
    [
        (lambda r: sent(r).get("guest", "").strip(), "body guest", "null"),
        (lambda r: sent(r).get("guest") and "x" + sent(r)["guest"], "body guest", "an object"),
        (lambda r: sent(r).get("room") == 0 and 1 // 0, "body room", "0"),
        (lambda r: 1 + (sent(r).get("room") or 0), "body room", "a text"),
        (lambda r: (sent(r).get("room") or 0) == 10**30 and 1 // 0, "body room", "31 digits"),
        (lambda r: [*(sent(r).get("extras", []))], "body extras", "null"),
        (
            lambda r: sent(r).get("kind") in (None, "single") or 1 // 0,
            "body kind",
            "an object in place",
        ),
        (
            lambda r: (
                not isinstance(sent(r).get("day"), str) or [*map(int, sent(r)["day"].split("-"))]
            ),
            "body day",
            "another form",
        ),
        (lambda r: len(sent(r).get("guest") or "") < 300 or 1 // 0, "body guest", "2,000"),
    ],
)
def test_a_value_that_nobody_thought_of_is_found_and_named(
    work: Callable[[Request], Any], parameter: str, kind: str
) -> None:
    (finding,) = findings(VALUE, unhandled(work), bookings())
    assert finding.parameter == parameter
    assert kind in finding.detail


@pytest.mark.parametrize(
    ("schema", "place", "work"),
    [
        ({"type": "integer", "default": 20}, "query", lambda n: int(n or 20)),
        (
            {"type": "integer", "default": 20},
            "query",
            lambda n: 100 // int(n) if n.isdecimal() else 0,
        ),
        ({"type": "integer", "example": 7}, "path", int),
        ({"type": "string", "format": "uuid"}, "path", lambda n: int(n.replace("-", ""), 16)),
        ({"type": "string", "example": "tea"}, "query", lambda n: n[0]),
    ],
)
def test_an_odd_value_in_an_address_is_found(
    schema: dict[str, Any], place: str, work: Callable[[str], Any]
) -> None:
    def given(request: Request) -> str:
        parts = urlsplit(request.path)
        return dict(parse_qsl(parts.query, keep_blank_values=True)).get(
            "n", parts.path.rpartition("/")[2] if place == "path" else "20"
        )

    (finding,) = findings(VALUE, unhandled(lambda r: work(given(r))), listing(schema, place))
    assert finding.parameter == f"{place} n"


def test_two_values_where_one_is_expected_are_found() -> None:
    def work(request: Request) -> str:
        values = parse_qs(urlsplit(request.path).query).get("n", ["tea"])
        (single,) = values  # what a framework does that makes a list of them
        return single

    (finding,) = findings(VALUE, unhandled(work), listing({"type": "string", "example": "tea"}))
    assert "two values" in finding.detail


def test_extremes_weigh_less_than_what_clients_send_by_accident() -> None:
    huge = unhandled(lambda r: (sent(r).get("room") or 0) != 10**30 or 1 // 0)
    null = unhandled(lambda r: sent(r).get("guest", "").strip())
    assert [each.severity for each in findings(VALUE, huge, bookings())] == [Severity.LOW]
    assert [each.severity for each in findings(VALUE, null, bookings())] == [Severity.MEDIUM]


def strict(request: Request) -> Response:
    """Refuses all that is odd and repeats it."""
    given = sent(request)
    fits = (
        isinstance(given.get("room"), int)
        and 0 < given["room"] < 100
        and isinstance(given.get("guest"), str)
        and 0 < len(given["guest"]) < 100
    )
    return answer(201, {"id": 1}) if fits else answer(422, {"input": given, "error": "no"})


def soft(request: Request) -> Response:
    fine = strict(request).status == 201
    return answer(200, {"success": fine, "error": None if fine else "invalid"})


def lenient(_request: Request) -> Response:
    return answer(201, {"id": 1})


def down(_request: Request) -> Response:
    return answer(500, {})


def gateway(request: Request) -> Response:
    return strict(request) if strict(request).status == 201 else answer(502, {})


@pytest.mark.parametrize("server", [strict, soft, lenient, down, gateway])
@pytest.mark.parametrize("check", [VALUE, MALFORMED, NUL, LARGE])
def test_what_is_refused_taken_or_down_anyway_is_no_crash(check: str, server: Server) -> None:
    assert findings(check, server, bookings()) == ()


def test_a_server_that_fails_now_and_then_is_not_reported() -> None:
    numbers = itertools.count(1)

    def server(request: Request) -> Response:
        return answer(500, {}) if next(numbers) % 23 == 0 else strict(request)

    for check in (VALUE, MALFORMED, NUL):
        assert findings(check, server, bookings()) == ()


MEMBERS = {
    "/members": {"post": operation(secured=False, requestBody=body(name={"type": "string"}))}
}
TAKEN = "UNIQUE constraint failed: members.name"


@pytest.mark.parametrize("status", [500, 409])
def test_what_exists_already_is_sent_once_more_and_a_conflict_is_no_crash(status: int) -> None:
    names: set[str] = set()

    def server(request: Request) -> Response:
        name = sent(request).get("name")
        if not isinstance(name, str) or not name:
            return answer(422, {})
        if name in names:
            return answer(status, {"error": TAKEN if status == 500 else "there is one already"})
        names.add(name)
        return answer(201, {"name": name})

    found = findings(VALUE, server, MEMBERS)
    assert [finding.parameter for finding in found] == ([None] if status == 500 else [])
    alone, along = check_named("database-error-in-response"), (check_named(VALUE),)
    record, _ = scanned(server, MEMBERS, checks=(alone,), provoking=along)
    assert [TAKEN[:20] in repr(f) for f in record.findings] == ([True] if status == 500 else [])


def test_an_operation_with_many_inputs_costs_no_more_than_a_bounded_number_of_requests() -> None:
    paths = bookings(body(**{f"field_{n}": {"type": "string"} for n in range(30)}))
    _, without = scanned(lenient, paths, checks=())
    _, exchanges = scanned(lenient, paths, checks=(check_named(VALUE),))
    assert len(exchanges) - len(without) <= 20 * 5 + 2


# --- bodies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        (lambda r: json.loads(r.body), "JSON cut short"),
        (
            lambda r: (
                r.body and json.loads(r.body.decode("utf-8", "replace") or "0") and r.body.decode()
            ),
            "UTF-8",
        ),
        (
            lambda r: json.loads(r.body).get("room") if r.body.startswith((b"[", b"n")) else 1,
            "null",
        ),
        (lambda r: 1 if r.body else 1 // 0, "no body at all"),
        (lambda r: {JSON: 1}[r.header("content-type") or ""], "text/plain"),
        (lambda r: r.header("content-type") or 1 // 0, "without Content-Type"),
        (lambda r: r.body != b"{}" or 1 // 0, "an empty object"),
    ],
)
def test_a_body_that_is_not_expected_is_found_and_named(
    work: Callable[[Request], Any], kind: str
) -> None:
    (finding,) = findings(MALFORMED, unhandled(work), bookings())
    assert kind in finding.detail
    assert finding.parameter is None


def test_a_form_that_is_none_is_found() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    paths = bookings({"required": True, "content": {FORM: {"schema": schema}}})

    def work(request: Request) -> str:
        if request.header("content-type") != FORM:
            return "refused"
        return parse_qs(request.body.decode("ascii"), errors="strict", strict_parsing=True)["name"][
            0
        ]

    (finding,) = findings(MALFORMED, unhandled(work), paths)
    assert "escapes that are none" in finding.detail


def test_what_has_no_body_has_nothing_to_malform() -> None:
    told, reason = state(MALFORMED, lenient, listing({"type": "integer"}))
    assert (told, reason) == (CoverageState.NOT_APPLICABLE, "it takes no body")


class Dropping(Scripted):
    """A transport over which some requests end in a reset."""

    def __init__(self, server: Server, drops: Callable[[Request, int], bool]) -> None:
        super().__init__(server)
        self._drops = drops
        self._numbers = itertools.count(1)

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        if self._drops(request, next(self._numbers)):
            return self._record(request, Failure(kind=FailureKind.RESET))
        return await super().send(request, fresh=fresh, to=to)


def test_a_connection_that_is_dropped_on_a_malformed_body_is_found() -> None:
    transport = Dropping(lenient, lambda request, _: request.body == b"null")
    (finding,) = findings(MALFORMED, lenient, bookings(), transport=transport)
    assert "null" in finding.detail


def test_a_connection_that_is_dropped_once_is_not_reported() -> None:
    for at in range(4, 24):

        def is_the_one(_: Request, number: int, at: int = at) -> bool:
            return number == at

        transport = Dropping(lenient, is_the_one)
        assert findings(MALFORMED, lenient, bookings(), transport=transport) == ()


# --- unprintable characters -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "kind"),
    [("\ud800", "half a surrogate pair"), ("\x1b", "control characters"), ("\0", "a NUL byte")],
)
def test_the_character_that_crashes_is_named(bad: str, kind: str) -> None:
    paths = bookings(body(name={"type": "string"}))
    server = unhandled(lambda r: bad not in str(sent(r).get("name")) or 1 // 0)
    (finding,) = findings(NUL, server, paths)
    assert kind in finding.detail
    assert (finding.severity is Severity.MEDIUM) == (bad == "\0")


def test_half_a_surrogate_pair_that_crashes_every_text_is_one_finding_for_information() -> None:
    text = {"type": "string"}
    paths = bookings(body(name=text, note=text))
    paths["/notes"] = {"post": operation(secured=False, requestBody=body(text=text))}
    server = unhandled(lambda r: "\ud800" not in "".join(map(str, sent(r).values())) or 1 // 0)
    (finding,) = findings(NUL, server, paths)
    assert finding.severity is Severity.INFO
    assert finding.operations == ("POST /bookings", "POST /notes")


def test_half_a_surrogate_pair_travels_as_an_escape_in_json() -> None:
    from withstand.scan.catalogue import check_named

    paths = bookings(body(name={"type": "string"}))
    _, exchanges = scanned(lenient, paths, checks=(check_named(NUL),))
    sent_bodies = [exchange.request.body for exchange in exchanges]
    assert any(b"\\ud800" in each for each in sent_bodies)
    assert all(each.decode("utf-8") for each in sent_bodies if each)


# --- large ------------------------------------------------------------------------------------

COMMENTS = {
    "/comments": {
        "post": operation(
            secured=False,
            requestBody=body(
                tags={"type": "array", "items": {"type": "string"}},
                text={"type": "string", "example": "Nice."},
            ),
        )
    }
}


def parsing(crash: Callable[[str], bool], refuses_above: int = 10**9) -> Server:
    def server(request: Request) -> Response:
        if len(request.body) > refuses_above:
            return page(413, "too large")
        text = request.body.decode()
        return page(500, "oops") if crash(text) else answer(201, {"id": 1})

    return server


@pytest.mark.parametrize(
    ("crash", "kind"),
    [
        (lambda text: "[" * 1000 in text, "lists nested"),
        (lambda text: len(text) > 500_000, "a text of 1 MB"),
        (lambda text: text.count(",") > 5_000, "a list of 10,000"),
    ],
)
def test_each_kind_of_large_body_is_found(crash: Callable[[str], bool], kind: str) -> None:
    (finding,) = findings(LARGE, parsing(crash), COMMENTS)
    assert kind in finding.detail
    assert finding.operations == ("POST /comments",)
    assert finding.severity is Severity.LOW  # a 500 at once harms nobody else
    assert findings(LARGE, parsing(crash, refuses_above=3_000), COMMENTS) == ()


class Timed:
    """A server whose time depends on the request."""

    def __init__(self, server: Server, takes_s: Callable[[Request], float]) -> None:
        self._server = server
        self._takes_s = takes_s

    def __call__(self, request: Request) -> Response:
        given = self._server(request)
        return Late(
            status=given.status,
            headers=given.headers,
            body=given.body,
            after_s=self._takes_s(request),
        )


def test_a_body_that_takes_twenty_times_as_long_is_found_and_one_slow_answer_is_not() -> None:
    slow = Timed(lenient, lambda request: 5.0 if len(request.body) > 500_000 else 0.02)
    (finding,) = findings(LARGE, slow, COMMENTS)
    assert "5.0 s" in finding.detail
    assert finding.severity is Severity.MEDIUM

    for every in (2, 3):
        numbers = itertools.count(1)

        def shaky(_: Request, every: int = every, numbers: Iterator[int] = numbers) -> float:
            return 5.0 if next(numbers) % every == 0 else 0.02

        assert findings(LARGE, Timed(lenient, shaky), COMMENTS) == ()

    linear = Timed(lenient, lambda request: 0.2 + len(request.body) / 500_000)
    assert findings(LARGE, linear, COMMENTS) == ()


def test_large_bodies_go_to_one_operation_of_each_kind_only() -> None:
    from withstand.scan.catalogue import check_named

    paths = {f"/comments/{n}/replies": COMMENTS["/comments"] for n in range(9)}
    _, exchanges = scanned(lenient, paths, checks=(check_named(LARGE),))
    large = {e.request.operation_path for e in exchanges if len(e.request.body) > 2_000}
    assert len(large) == 1


# --- expressions ------------------------------------------------------------------------------


def matching(seconds: Callable[[str], float]) -> Timed:
    return Timed(lambda _request: answer(200, []), lambda request: seconds(query(request, "n")))


def backtracking(value: str, base: float = 2.0, step_s: float = 20e-9) -> float:
    letters = re.match(r"[A-Za-z]*", value)
    assert letters is not None
    if letters.end() == len(value):
        return 0.001
    return 0.001 + min(base ** min(letters.end(), 40) * step_s, 25.0)


NAMES = listing({"type": "string", "example": "Ada"})


@pytest.mark.parametrize(
    "seconds",
    [
        backtracking,
        lambda value: backtracking(value, base=3.0),
        lambda value: backtracking(value, step_s=5e-9),
        lambda value: backtracking(value.removeprefix("SKU-")) if value.startswith("SKU-") else 0.0,
    ],
    ids=["doubles", "triples", "a fast engine", "behind a prefix"],
)
def test_an_expression_that_backtracks_is_found(seconds: Callable[[str], float]) -> None:
    paths = listing({"type": "string", "example": "SKU-001"})
    (finding,) = findings(PATTERN, matching(seconds), paths)
    assert finding.parameter == "query n"
    assert "letters" in finding.detail


def far_away(value: str) -> float:
    return 0.3 + 2 * backtracking(value)


def busy(takes_s: Callable[[str], float], seed: int) -> Callable[[str], float]:
    """The same on a machine that has a lot else to do: up to five times as long, as it happens."""
    chance = random.Random(seed)
    return lambda value: takes_s(value) * chance.choice((1, 1, 1.5, 3, 5)) + chance.random() / 50


@pytest.mark.parametrize(
    "seconds",
    [
        far_away,
        lambda value: 1.0 + 3 * backtracking(value),
        *(busy(lambda value: 3 * backtracking(value), seed) for seed in range(6)),
    ],
    ids=["far away", "slow", *(f"busy {seed}" for seed in range(6))],
)
def test_an_expression_that_backtracks_is_found_however_long_the_rest_takes(
    seconds: Callable[[str], float],
) -> None:
    (finding,) = findings(PATTERN, matching(seconds), NAMES)
    assert finding.parameter == "query n"


def now_and_then() -> Callable[[str], float]:
    numbers = itertools.count(1)
    return lambda _value: 2.0 if next(numbers) % 3 == 0 else 0.002


@pytest.mark.parametrize(
    "seconds",
    [
        lambda value: 0.002 * len(value),
        lambda value: 0.5 if "!" in value else 0.002,
        lambda value: len(value) ** 2 * 1e-4,
        lambda value: 0.8 if len(value) > 20 else 0.002,
        now_and_then(),
        lambda _value: 3.0,
        *(busy(lambda _value: 0.1, seed) for seed in range(6)),
        *(busy(lambda value: 0.3 if "!" in value else 0.02, seed) for seed in range(6)),
    ],
    ids=[
        *("linear", "slow refusals", "square", "slow when long", "now and then", "always slow"),
        *(f"busy {seed}" for seed in range(12)),
    ],
)
def test_what_is_slow_without_growing_like_that_is_not_reported(
    seconds: Callable[[str], float],
) -> None:
    assert findings(PATTERN, matching(seconds), NAMES) == ()


def test_an_expression_that_does_not_backtrack_costs_few_requests() -> None:
    from withstand.scan.catalogue import check_named

    server = matching(lambda _value: 0.002)
    _, without = scanned(server, NAMES, checks=())
    _, exchanges = scanned(server, NAMES, checks=(check_named(PATTERN),))
    assert len(exchanges) - len(without) <= 3


def test_no_text_of_the_check_doubles_more_than_thirty_times() -> None:
    from withstand.scan.catalogue import check_named

    _, exchanges = scanned(matching(backtracking), NAMES, checks=(check_named(PATTERN),))
    lengths = [len(query(each.request, "n")) for each in exchanges]
    assert max(lengths) <= 30


WRITES = {f"/{name}": next(iter(bookings().values())) for name in ("rooms", "guests", "bills")}


def reading_all(work: Callable[[Request], Any] = lambda _: None) -> Server:
    """What reads the bodies of all operations lets one error through, and one operation another."""

    def server(request: Request) -> Response:
        try:
            read = json.loads(request.body)
        except ValueError:
            return answer(500, {"error": "sorry"})
        if not isinstance(read, dict):
            return answer(422, {"error": "an object is wanted"})
        return unhandled(work)(request)

    return server


def test_an_error_before_all_operations_is_one_finding_however_many_those_are() -> None:
    (finding,) = findings(MALFORMED, reading_all(), {**bookings(), **WRITES})
    paths = ("/bookings", *WRITES)
    assert sorted(finding.operations) == sorted(f"POST {path}" for path in paths)
    assert finding.whole_api
    assert "on most operations" in finding.detail
    assert all(key in finding_text(finding) for key in finding.operations)
    more = {"/teams": next(iter(bookings().values()))}
    (other,) = findings(MALFORMED, reading_all(), {**bookings(), **WRITES, **more})
    assert other.fingerprint == finding.fingerprint
    assert len(other.operations) == 5


def test_beside_an_error_of_all_operations_that_of_one_is_told_by_itself() -> None:
    def work(request: Request) -> Any:
        return request.path != "/rooms" or sent(request)["guest"]

    paths = {**bookings(), **WRITES}
    whole, one = sorted(
        findings(MALFORMED, reading_all(work), paths), key=lambda finding: not finding.whole_api
    )
    assert len(whole.operations) == 4
    assert one.operations == ("POST /rooms",)
    assert "an empty object" in one.detail
    assert "cut short" not in one.detail
    assert len(findings(MALFORMED, unhandled(work), paths)) == 1
    two_of_four = unhandled(lambda r: r.path in {"/rooms", "/bills"} or sent(r)["guest"])
    assert {f.operations for f in findings(MALFORMED, two_of_four, paths)} == {
        ("POST /bookings",), ("POST /guests",),
    }  # fmt: skip


def test_an_unknown_path_is_no_crash() -> None:
    assert findings(VALUE, lambda _request: not_found(), bookings()) == ()
