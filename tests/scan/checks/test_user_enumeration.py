"""Users who are told apart by answers or by a stopwatch, and APIs that only seem to do so."""

import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, late, operation, page, sent
from withstand.scan.probes.strangers import stranger_like
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, scanned, state

TOLD = "user-enumeration"
TIMED = "user-enumeration-by-time"
PERSON = body(email={"type": "string", "format": "email"}, password={"type": "string"})
LOGIN: dict[str, Any] = {"/login": {"post": operation(secured=False, requestBody=PERSON)}}
SIGN_UP: dict[str, Any] = {"/register": {"post": operation(secured=False, requestBody=PERSON)}}
EMAIL = body(email={"type": "string", "format": "email"})
RECIPE = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)
Refusal = Callable[[str, bool, int], Response]
"""E-mail, whether somebody has it, the number of the request → the refusal."""


class Users:
    """A login that refuses as told, and a sign-up."""

    def __init__(self, refusal: Refusal, *, reset: Refusal | None = None) -> None:
        self.passwords = {f"{name}@example.com": f"{name}-password-1" for name in ("alice", "bob")}
        self.tries: dict[str, int] = {}
        self._refusal, self._reset = refusal, reset
        self._numbers = itertools.count(1)

    def __call__(self, request: Request) -> Response:
        fields = sent(request)
        email = str(fields.get("email"))
        if request.path == "/register":
            self.passwords[email] = str(fields.get("password"))
            return answer(201, {"email": email})
        if request.path == "/login":
            if self.passwords.get(email) == fields.get("password"):
                return answer(200, {"token": f"{email.partition('@')[0]}-token"})
            self.tries[email] = self.tries.get(email, 0) + 1
            return self._refusal(email, email in self.passwords, next(self._numbers))
        if "forgot" in request.path and self._reset is not None:
            return self._reset(email, email in self.passwords, next(self._numbers))
        return UNAUTHENTICATED


def told(server: Server, document: dict[str, Any] = LOGIN, **more: Any) -> CoverageState:
    return state(TOLD, server, document, login=RECIPE, **more)[0]


@pytest.mark.parametrize("tells", [True, False])
def test_help_with_a_password_may_name_the_user_in_the_path(tells: bool) -> None:
    def server(request: Request) -> Response:
        if request.method == "POST" and request.path.startswith("/password-recovery/"):
            known = unquote(request.path.rpartition("/")[2]) in users.passwords
            return answer(404 if tells and not known else 200, {"message": "sent"})
        return users(request)

    users = Users(lambda _email, _known, _: answer(401, {"error": "no"}))
    recovery = operation(secured=False, parameters=(("path", "email"),))
    paths = {**LOGIN, **SIGN_UP, "/password-recovery/{email}": {"post": recovery}}
    wanted = CoverageState.FAILED if tells else CoverageState.PASSED
    assert told(server, paths) is wanted


BLABBING: dict[str, Refusal] = {
    "a message": lambda _email, known, _: answer(
        401, {"error": "wrong password" if known else "no such user"}
    ),
    "a status": lambda _email, known, _: answer(401 if known else 404, {"error": "no"}),
    "an envelope": lambda _email, known, _: answer(
        200, {"success": False, "code": "BAD_PASSWORD" if known else "UNKNOWN_USER"}
    ),
    "a page": lambda _email, known, _: page(
        401, f"<h1>Sorry</h1><p>{'That password is wrong' if known else 'Who are you?'}</p>"
    ),
    "plain text": lambda _email, known, _: page(
        400, "invalid password" if known else "unknown account", "text/plain"
    ),
    "a message among ids": lambda email, known, number: answer(
        401,
        {
            "error": f"{email} is {'known' if known else 'unknown'}",
            "request": f"r-{number:05}-{'xyz'[number % 3]}",
            "time": f"2031-01-01T00:00:{number:02}Z",
        },
    ),
    "one more property": lambda _email, known, _: answer(
        401, {"error": "no"} | ({"hint": "reset it?"} if known else {})
    ),
}

CAREFUL: dict[str, Refusal] = {
    "the same words": lambda _email, _known, _: answer(401, {"error": "wrong e-mail or password"}),
    "an echo": lambda email, _known, _: answer(401, {"error": f"{email} cannot log in so"}),
    "an echo of the name alone": lambda email, _known, _: answer(
        401, {"error": f"Sorry {email.partition('@')[0]}!"}
    ),
    "request ids, times and counters": lambda _email, _known, number: answer(
        401,
        {"error": "no", "id": f"{number * 7919:x}-{'abc'[number % 3]}", "at": number, "n": number},
    ),
    "a page with a token against forgery": lambda _email, _known, number: page(
        401, f"<form><input name='csrf' value='{'pqrs'[number % 4]}t{number}'></form><p>No.</p>"
    ),
    "words by turns": lambda _email, _known, number: answer(
        401, {"error": ("no", "nope", "no way")[number % 3]}
    ),
    "tries that are left": lambda _email, _known, number: answer(
        401, {"error": f"wrong, {30 - number} tries left"}
    ),
    "an empty refusal": lambda _email, _known, _: Response(status=401),
}


@pytest.mark.parametrize("refusal", BLABBING.values(), ids=BLABBING)
@pytest.mark.parametrize("document", [LOGIN, LOGIN | SIGN_UP], ids=["identity", "throw-away"])
def test_a_login_that_tells_users_from_strangers_is_found(
    refusal: Refusal, document: dict[str, Any]
) -> None:
    (finding,) = findings(TOLD, Users(refusal), document, login=RECIPE)
    assert finding.operations == ("POST /login",)


@pytest.mark.parametrize("refusal", CAREFUL.values(), ids=CAREFUL)
@pytest.mark.parametrize("document", [LOGIN, LOGIN | SIGN_UP], ids=["identity", "throw-away"])
def test_a_login_that_tells_nothing_passes(refusal: Refusal, document: dict[str, Any]) -> None:
    assert told(Users(refusal), document) is CoverageState.PASSED


def test_tries_counted_for_each_name_tell_nothing() -> None:
    users: Users

    def refusal(email: str, _known: bool, _: int) -> Response:
        return answer(401, {"error": f"wrong, {9 - users.tries[email]} tries left"})

    users = Users(refusal)
    users.tries["alice@example.com"] = 5
    assert told(users) is CoverageState.PASSED


def test_a_locked_account_proves_nothing() -> None:
    locked = Users(lambda _email, known, _: answer(423 if known else 401, {"error": "no"}))
    assert told(locked) is CoverageState.INCONCLUSIVE


def test_an_account_that_was_locked_before_proves_nothing_whatever_the_refusal() -> None:
    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        if request.path != "/login":
            return UNAUTHENTICATED
        locked = email == "alice@example.com"
        return answer(401, {"error": "come back in an hour" if locked else "wrong password"})

    what, reason = state(TOLD, server, LOGIN, login=RECIPE)
    assert what is CoverageState.INCONCLUSIVE
    assert "locked" in reason


def test_strangers_that_a_limit_refuses_prove_nothing() -> None:
    users: Users

    def refusal(email: str, known: bool, _: int) -> Response:
        return answer(401 if known and users.tries[email] == 1 else 403, {"error": "no"})

    users = Users(refusal)
    assert told(users, people=identities(("alice",))) is CoverageState.INCONCLUSIVE


def test_a_crash_for_strangers_is_another_flaw() -> None:
    crash = Users(lambda _email, known, _: answer(401 if known else 500, {"error": "no"}))
    assert told(crash) is CoverageState.INCONCLUSIVE


def test_a_wrong_password_that_logs_in_is_another_flaw() -> None:
    lax = Users(lambda _email, known, _: answer(200 if known else 401, {"token": "alice-token"}))
    assert told(lax) is CoverageState.INCONCLUSIVE


def test_a_real_user_is_tried_once_and_in_a_flawed_api_twice() -> None:
    for refusal, most in ((CAREFUL["the same words"], 1), (BLABBING["a status"], 2)):
        users = Users(refusal)
        told(users)
        assert users.tries["alice@example.com"] == most
        assert "bob@example.com" not in users.tries


FORGOT: dict[str, Any] = {"/forgot-password": {"post": operation(secured=False, requestBody=EMAIL)}}


def forgotten(known: Response, unknown: Response) -> Users:
    return Users(
        CAREFUL["the same words"],
        reset=lambda _email, exists, _: known if exists else unknown,
    )


@pytest.mark.parametrize(
    "unknown", [answer(404, {"error": "no such user"}), answer(200, {"message": "unknown"})]
)
def test_help_with_a_password_that_tells_who_is_known_is_found(unknown: Response) -> None:
    server = forgotten(answer(200, {"message": "sent"}), unknown)
    found = findings(TOLD, server, LOGIN | SIGN_UP | FORGOT, login=RECIPE)
    assert [finding.operations for finding in found] == [("POST /forgot-password",)]


def test_help_with_a_password_in_the_same_words_passes() -> None:
    same = answer(202, {"message": "if we know you, we have written"})
    assert told(forgotten(same, same), LOGIN | SIGN_UP | FORGOT) is CoverageState.PASSED


def test_nobody_real_is_sent_a_mail_about_a_password() -> None:
    server = forgotten(answer(200, {}), answer(404, {}))
    _, exchanges = scanned(server, LOGIN | FORGOT, login=RECIPE)
    asked = [e.request.body for e in exchanges if "forgot" in e.request.path]
    assert not [body for body in asked if b"alice" in body]


def test_a_sign_up_that_refuses_a_taken_name_is_no_finding() -> None:
    inner = Users(CAREFUL["the same words"])

    def server(request: Request) -> Response:
        if request.path == "/register" and sent(request).get("email") in inner.passwords:
            return answer(409, {"error": "this address is taken"})
        return inner(request)

    assert told(server, LOGIN | SIGN_UP) is CoverageState.PASSED


def test_without_an_identity_nobody_is_known() -> None:
    users = Users(BLABBING["a status"])
    what, reason = state(TOLD, users, LOGIN, login=RECIPE, people=())
    assert what is CoverageState.SKIPPED
    assert "identity" in reason


@pytest.mark.parametrize("name", ["ada@example.com", "Ada.L-9@x.example", "10023", "ada_l"])
def test_a_stranger_is_named_like_the_user(name: str) -> None:
    fields = {"username": name, "email": name, "password": "p", "tenant": "blue"}
    stranger = stranger_like(fields, "ws1")
    made = stranger["username"]
    assert made == stranger["email"] != name
    assert (len(made), made.partition("@")[2]) == (len(name), name.partition("@")[2])
    assert [c.isdigit() for c in made] == [c.isdigit() for c in name]
    assert [c.isupper() for c in made] == [c.isupper() for c in name]
    assert (stranger["password"], stranger["tenant"]) == ("p", "blue")


# --- by time ------------------------------------------------------------------------------------

BOTH = LOGIN | SIGN_UP
SAME = answer(401, {"error": "wrong e-mail or password"})


def taking(known_s: Callable[[int], float], stranger_s: Callable[[int], float]) -> Users:
    """Refusals that take so long, by the number of the request."""
    return Users(lambda _, known, n: late(SAME, known_s(n) if known else stranger_s(n)))


def timed(server: Server, document: dict[str, Any] = BOTH) -> CoverageState:
    return state(TIMED, server, document, login=RECIPE)[0]


@pytest.mark.parametrize(
    ("known_ms", "stranger_ms"), [(30, 1), (80, 1), (250, 20), (90, 25), (2000, 600), (155, 50)]
)
def test_a_hash_for_users_only_is_found(known_ms: int, stranger_ms: int) -> None:
    server = taking(lambda _: known_ms / 1000, lambda _: stranger_ms / 1000)
    (finding,) = findings(TIMED, server, BOTH, login=RECIPE)
    assert f"{known_ms} ms" in finding.detail


def test_one_late_answer_in_twelve_does_not_hide_it() -> None:
    server = taking(lambda _: 0.2, lambda n: 0.4 if n % 12 == 3 else 0.002)
    assert timed(server) is CoverageState.FAILED


def test_a_machine_on_which_any_answer_may_be_late_does_not_hide_it() -> None:
    server = taking(lambda n: 0.08 + 0.05 * (n % 3), lambda n: 0.035 if n % 5 == 0 else 0.004)
    assert timed(server) is CoverageState.FAILED


@pytest.mark.parametrize(
    ("known_s", "stranger_s"),
    [
        (lambda n: 0.08 + 0.05 * (n % 3), lambda n: 0.1 if n % 3 == 0 else 0.004),  # they overlap
        (lambda _: 0.25, lambda _: 0.25),  # hashes in vain
        (lambda _: 0.015, lambda _: 0.001),  # many times, but milliseconds
        (lambda _: 0.30, lambda _: 0.15),  # twice: a second look-up, say
        (lambda n: 0.2 if n % 2 else 0.001, lambda _: 0.001),  # now and then
        (lambda n: 0.02 * (n % 7), lambda n: 0.02 * (n % 5)),  # jitter on purpose
        (lambda _: 0.001, lambda _: 0.25),  # strangers take longer
    ],
)
def test_what_a_stopwatch_cannot_tell_passes(
    known_s: Callable[[int], float], stranger_s: Callable[[int], float]
) -> None:
    assert timed(taking(known_s, stranger_s)) is CoverageState.PASSED


def test_a_delay_that_grows_with_every_failure_for_a_name_passes() -> None:
    users: Users

    def refusal(email: str, _known: bool, _: int) -> Response:
        return late(SAME, 0.1 * 2 ** users.tries[email])

    users = Users(refusal)
    assert timed(users) is CoverageState.PASSED


def test_a_careful_login_is_timed_with_a_few_requests() -> None:
    users = taking(lambda _: 0.1, lambda _: 0.1)
    assert timed(users) is CoverageState.PASSED
    assert sum(users.tries.values()) == 4
    assert not {"alice@example.com", "bob@example.com"} & users.tries.keys()


def test_ids_and_counters_in_the_refusals_do_not_keep_it_from_being_timed() -> None:
    careful = CAREFUL["request ids, times and counters"]
    for known_s, expected in ((0.2, CoverageState.FAILED), (0.001, CoverageState.PASSED)):

        def refusal(email: str, known: bool, n: int, slow_s: float = known_s) -> Response:
            return late(careful(email, known, n), slow_s if known else 0.001)

        assert timed(Users(refusal)) is expected


def test_a_lock_in_between_ends_the_measurement() -> None:
    users: Users

    def refusal(email: str, known: bool, _: int) -> Response:
        if users.tries[email] > 3:
            return answer(403, {"error": "locked"}) if known else SAME
        return late(SAME, 0.2 if known else 0.001)

    users = Users(refusal)
    assert timed(users) is CoverageState.INCONCLUSIVE


def test_answers_that_differ_already_are_reported_once() -> None:
    refusal = BLABBING["a message"]
    users = Users(lambda email, known, n: late(refusal(email, known, n), 0.2 if known else 0.001))
    assert timed(users) is CoverageState.INCONCLUSIVE


def test_real_users_are_never_timed() -> None:
    server = taking(lambda _: 0.2, lambda _: 0.001)
    people = identities(("alice", "bob"))
    what, reason = state(TIMED, server, LOGIN, login=RECIPE, people=people)
    assert what is CoverageState.SKIPPED
    assert "lock" in reason


@pytest.mark.parametrize(
    ("tells", "what"), [(True, CoverageState.FAILED), (False, CoverageState.PASSED)]
)
def test_a_login_behind_a_token_against_forged_requests_is_asked_with_it(
    tells: bool, what: CoverageState
) -> None:
    def refusal(_email: str, known: bool, _number: int) -> Response:
        return answer(401, {"error": "wrong password" if known or not tells else "who is that?"})

    users = Users(refusal)

    def server(request: Request) -> Response:
        if request.path == "/login" and request.method == "GET":
            cookie = {"Set-Cookie": "csrftoken=a-token-of-the-page"}
            return answer(200, {"csrftoken": "a-token-of-the-page"}, cookie)
        if request.path == "/login" and "a-token-of-the-page" not in repr(request.headers):
            return answer(403, {"error": "CSRF verification failed"})
        return users(request)

    assert told(server) is what
