"""Guessing one-time codes: what must be found, what counts as a limit, and whose codes they are."""

from collections import Counter
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, operation, page, sent
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

CODES = "code-guessing-not-limited"
TEXT: dict[str, Any] = {"type": "string"}
EMAIL: dict[str, Any] = {"type": "string", "format": "email"}
SIX: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{6}$"}
SIGN_UP = {
    "/register": {"post": operation(secured=False, requestBody=body(email=EMAIL, password=TEXT))}
}
WRONG = answer(403, {"error": "the code is wrong"})


def paths(path: str, **fields: dict[str, Any]) -> dict[str, Any]:
    return {**SIGN_UP, path: {"post": operation(secured=False, requestBody=body(**fields))}}


RESET = paths("/password/reset", email=EMAIL, code=SIX, new_password=TEXT)


def api(refused: Response, limited: Response | None = None, after: int = 5) -> Server:
    failures: Counter[str] = Counter()

    def server(request: Request) -> Response:
        if request.path == "/register":
            return answer(201, {"id": 1})
        if request.method == "GET":
            return answer(404, {})
        fields = sent(request)
        who = str(fields.get("email") or fields.get("username") or "")
        failures[who] += 1
        return refused if limited is None or failures[who] <= after else limited

    return server


@pytest.mark.parametrize(
    "refused",
    [
        WRONG,
        answer(401, {"detail": "Invalid OTP"}),
        answer(400, {"error": {"code": "INVALID_CODE", "message": "Invalid or expired code."}}),
        answer(200, {"success": False, "message": "That PIN is incorrect"}),
        page(403, "<h1>Sorry</h1><p>This code is not right.</p>"),
        answer(422, {"errors": {"code": ["code does not match"]}}),
    ],
)
def test_sixty_wrong_codes_in_a_row_are_a_flaw_in_any_style_of_refusal(refused: Response) -> None:
    (finding,) = findings(CODES, api(refused), RESET)
    assert finding.operations == ("POST /password/reset",)
    assert "60 wrong codes" in finding.detail


@pytest.mark.parametrize(
    "described",
    [
        paths("/auth/verify-otp", email=EMAIL, otp={"type": "integer"}),
        paths("/login/2fa", username=TEXT, code=TEXT),
        paths("/v1/mfa/challenge", email=EMAIL, verification_code={**TEXT, "maxLength": 6}),
        paths("/account/unlock", email=EMAIL, pin={"type": "string", "pattern": r"^\d{4}$"}),
    ],
)
def test_codes_are_known_by_their_names_and_places(described: dict[str, Any]) -> None:
    assert len(findings(CODES, api(WRONG), described)) == 1


@pytest.mark.parametrize(
    "limited",
    [
        answer(429, {"error": "wait"}),
        answer(423, {"error": "locked"}),
        answer(410, {"error": "this code is void now"}),
        answer(403, {"error": "too many attempts, ask for another code"}),
    ],
)
def test_every_way_to_stop_guessing_counts_as_a_limit(limited: Response) -> None:
    assert state(CODES, api(WRONG, limited), RESET)[0] is CoverageState.PASSED


def test_the_codes_fit_the_schema_and_belong_to_a_user_signed_up_for_it() -> None:
    _, exchanges = scanned(api(WRONG), RESET, checks=(check_named(CODES),))
    tried = [sent(e.request) for e in exchanges if e.request.path == "/password/reset"]
    codes = [fields["code"] for fields in tried if "code" in fields]
    assert len(set(codes)) > 60
    assert all(code.isdigit() and len(code) == 6 for code in codes)
    signed_up = {sent(e.request).get("email") for e in exchanges if e.request.path == "/register"}
    guessed = Counter(fields["email"] for fields in tried)
    assert {email for email, times in guessed.items() if times > 30} <= signed_up
    assert not [email for email in guessed if email.startswith(("alice@", "bob@", "root@"))]


@pytest.mark.parametrize(
    "refused",
    [
        answer(400, {"error": "no code was requested", "hint": "not requested"}),
        answer(409, {"error": "two-factor login is not enabled"}),
        answer(422, {"detail": "code: must be a string of digits"}),
        answer(404, {"error": "not found"}),
        answer(500, {"error": "oops"}),
        answer(200, {"message": "thank you"}),
        page(400, "Bad Request"),
    ],
)
def test_answers_that_judge_no_code_are_inconclusive(refused: Response) -> None:
    assert state(CODES, api(refused), RESET)[0] is CoverageState.INCONCLUSIVE


def test_a_code_is_asked_for_first_so_that_a_wordless_refusal_counts() -> None:
    described = {
        **RESET,
        "/password/forgot": {"post": operation(secured=False, requestBody=body(email=EMAIL))},
    }
    waiting: set[str] = set()

    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        if request.path == "/password/forgot":
            waiting.add(email)
            return answer(202, {})
        if request.path == "/register":
            return answer(201, {"id": 1})
        return answer(401, {}) if email in waiting else answer(400, {"error": "not requested"})

    (finding,) = findings(CODES, server, described)
    assert finding.operations == ("POST /password/reset",)


def test_a_second_factor_is_tried_only_with_the_throwaway_user() -> None:
    login = LoginRecipe(
        method="POST", path="/login", payload={"email": "{email}", "password": "{password}"}
    )
    described: dict[str, Any] = {
        "/2fa/verify": {"post": operation(requestBody=body(code=SIX))},
        "/login": {"post": operation(secured=False, requestBody=body(email=EMAIL, password=TEXT))},
    }
    seen: set[str | None] = set()

    def server(request: Request) -> Response:
        if request.path == "/register":
            return answer(201, {"id": 1})
        if request.path == "/login":
            return answer(200, {"access_token": f"token-of-{sent(request)['email']}"})
        if request.path == "/2fa/verify" and request.header("authorization"):
            seen.add(request.header("authorization"))
            return answer(401, {"error": "wrong code"})
        return answer(401, {})

    what, reason = state(CODES, server, described, login=login)
    assert (what, "throw-away" in reason) == (CoverageState.SKIPPED, True)
    seen.clear()
    assert len(findings(CODES, server, {**described, **SIGN_UP}, login=login)) == 1
    guessed = {value for value in seen if value and value.startswith("Bearer token-of-")}
    assert len(guessed) == 1


@pytest.mark.parametrize(
    "described",
    [
        paths("/coupons/verify", email=EMAIL, code=TEXT),
        paths("/addresses", email=EMAIL, zip_code=TEXT, country_code=TEXT),
        paths("/oauth/token", username=TEXT, code=TEXT),
        paths("/email/verify", email=EMAIL, token=TEXT),
        paths("/reset/confirm", email=EMAIL, code={**TEXT, "minLength": 32}),
        paths("/payments/verify", email=EMAIL, pin=TEXT),
    ],
)
def test_other_codes_and_long_tokens_are_not_guessed(described: dict[str, Any]) -> None:
    assert state(CODES, api(WRONG), described)[0] is CoverageState.NOT_APPLICABLE


def test_elsewhere_than_on_loopback_it_needs_the_abuse_profile() -> None:
    what, reason = state(
        CODES, api(WRONG), RESET, policy={"profile": "ci"}, base_url="http://api.example.com"
    )
    assert what is CoverageState.SKIPPED
    assert "abuse" in reason
