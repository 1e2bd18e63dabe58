"""Every flaw shows when it is planted, and nothing else shows with it."""

import gc
import hmac
import logging
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import jwt
import pytest

from withstand.demo.app import ALLOWED_ORIGIN
from withstand.demo.flaws import FLAWS, FlawName, UnknownFlawError, plant
from withstand.demo.headers import security_headers
from withstand.demo.tokens import GUESSABLE

from .in_process import HTTPS_URL, InProcess, in_process

FOREIGN = "https://evil.example.com"


@pytest.fixture(autouse=True)
def quiet_failures(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="withstand.demo")


def claims(api: InProcess, name: str) -> dict[str, Any]:
    token = api.shop.tokens.issue(api.user(name), lifetime_s=60)
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def forged(api: InProcess, **changes: object) -> str:
    return jwt.encode(claims(api, "alice") | changes, "k" * 32, algorithm="HS256")


def expired(api: InProcess) -> str:
    return api.shop.tokens.issue(api.user("alice"), lifetime_s=-10)


@cache
def last_of_eleven_guesses(api: InProcess) -> Any:
    body = {"email": f"{uuid4().hex}@example.com", "password": "WrongPassword1!"}
    return [api.send("POST", "/auth/login", json=body) for _ in range(11)][-1]


def no_token_check(api: InProcess) -> bool:
    return api.send("GET", "/users").status_code == 200


def expired_tokens_accepted(api: InProcess) -> bool:
    return api.send("GET", "/users/me", token=expired(api)).status_code == 200


def unverified_signatures(api: InProcess) -> bool:
    return api.send("GET", "/users/me", token=forged(api)).status_code == 200


def any_token_accepted(api: InProcess) -> bool:
    statuses = [api.send("GET", "/users", token=token).status_code for token in (None, "ws-random")]
    return statuses == [401, 200]


def guessable_token_secret(api: InProcess) -> bool:
    token = api.shop.tokens.issue(api.user("alice"), lifetime_s=60)
    try:
        jwt.decode(token, GUESSABLE, algorithms=["HS256"], options={"verify_aud": False})
    except jwt.PyJWTError:
        return False
    return True


def public_key_as_secret(api: InProcess) -> bool:
    keys = api.send("GET", "/.well-known/jwks.json")
    pair = api.shop.tokens.pair
    if keys.status_code != 200 or pair is None:
        return False
    head = jwt.encode(claims(api, "alice"), "k" * 32, algorithm="HS256").rpartition(".")[0]
    signature = hmac.digest(pair.public_pem, head.encode(), "sha256")
    token = f"{head}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    return api.send("GET", "/users/me", token=token).status_code == 200


def tokens_without_expiry(api: InProcess) -> bool:
    return "exp" not in claims(api, "alice")


def role_not_checked(api: InProcess) -> bool:
    path = f"/admin/users/{api.user('bob').id}"
    return api.send("GET", path, as_="alice").status_code == 200


def sql_injection(api: InProcess) -> bool:
    statuses = [
        api.send("GET", "/products", params={"q": words}).status_code
        for words in ("teapot", "teapot'", "teapot''")
    ]
    return statuses == [200, 500, 200]


def reflected_html(api: InProcess) -> bool:
    params = {"heading": "<ws-1>"}
    return "<ws-1>" in api.send("GET", "/products/SKU-001/label", params=params).text


def path_traversal(api: InProcess) -> bool:
    answers = [
        api.send("GET", "/manuals", params={"name": name}).text
        for name in ("../" * 20 + "etc/passwd", "/etc/passwd", "../__init__.py")
    ]
    return any("root:" in text or '"""' in text for text in answers)


def nul_byte_crash(api: InProcess) -> bool:
    return {
        api.send("POST", "/users", json={"email": "user\x00admin@test.com"}).status_code,
        api.send("GET", "/products?q=%00").status_code,
        api.send("GET", "/manuals?name=%00").status_code,
    } == {500}


def no_rate_limit(api: InProcess) -> bool:
    return bool(last_of_eleven_guesses(api).status_code == 401)


def rate_limit_without_retry_after(api: InProcess) -> bool:
    refused = last_of_eleven_guesses(api)
    return refused.status_code == 429 and "Retry-After" not in refused.headers


def password_hash_in_responses(api: InProcess) -> bool:
    return any(
        "$scrypt$" in api.send("GET", path, as_="root").text
        for path in ("/users", "/users/me", f"/admin/users/{api.user('bob').id}")
    )


def order_readable_by_other_user(api: InProcess) -> bool:
    order_id = api.send("GET", "/orders", as_="alice").json()["items"][0]["id"]
    return api.send("GET", f"/orders/{order_id}", as_="bob").status_code == 200


def order_deletable_by_other_user(api: InProcess) -> bool:
    body = {"items": ["SKU-001"]}
    order_id = api.send("POST", "/orders", as_="alice", json=body).json()["id"]
    return api.send("DELETE", f"/orders/{order_id}", as_="bob").status_code == 204


def admin_guard_reads_path(api: InProcess) -> bool:
    user_id = api.user("bob").id
    plain, spelled = (
        api.send("GET", f"/{first}/users/{user_id}", as_="alice").status_code
        for first in ("admin", "%61dmin")
    )
    return (plain, spelled) == (403, 200)


def configuration_page(api: InProcess) -> bool:
    return api.send("GET", "/internal/config").status_code == 200


def wildcard_cors_with_credentials(api: InProcess) -> bool:
    headers = api.send("GET", "/health", headers={"Origin": FOREIGN, "Cookie": "a=b"}).headers
    allowed = headers.get("access-control-allow-origin")
    return allowed == FOREIGN and headers.get("access-control-allow-credentials") == "true"


def no_https_redirect(api: InProcess) -> bool:
    answer = api.send("GET", "/health", plain=True)
    return answer.status_code == 200


def origins_compared_by_prefix(api: InProcess) -> bool:
    allowed = {
        origin: api.send("GET", "/health", headers={"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )
        for origin in (f"{ALLOWED_ORIGIN}.evil.example.com", FOREIGN)
    }
    return [origin == value for origin, value in allowed.items()] == [True, False]


def allowed_origin_left_out(api: InProcess) -> bool:
    headers = api.send("GET", "/health", headers={"Origin": ALLOWED_ORIGIN}).headers
    return "access-control-allow-origin" not in headers


def preflights_approved_for_everybody(api: InProcess) -> bool:
    asked = {"Origin": FOREIGN, "Access-Control-Request-Method": "DELETE"}
    headers = api.send("OPTIONS", "/orders/1", headers=asked).headers
    actual = api.send("GET", "/health", headers={"Origin": FOREIGN, "Cookie": "a=b"}).headers
    allowed = headers.get("access-control-allow-origin")
    return allowed == FOREIGN and "access-control-allow-origin" not in actual


def no_hsts(api: InProcess) -> bool:
    names = {name for name, _ in security_headers(https=True, planted=api.shop.planted)}
    return "Strict-Transport-Security" not in names


def slow_endpoint(api: InProcess) -> bool:
    return api.seconds("GET", "/users", as_="alice") > 0.29


def memory_leak(api: InProcess) -> bool:
    requests = 20
    api.send("GET", "/health")
    tracemalloc.start()
    try:
        for _ in range(requests):
            api.send("GET", "/health")
        gc.collect()
        traces = tracemalloc.take_snapshot().traces
    finally:
        tracemalloc.stop()
    # Large blocks only: threads of the test runner allocate many small ones meanwhile.
    return sum(trace.size >= 64 * 1024 for trace in traces) >= requests


SHOWS: dict[FlawName, Callable[[InProcess], bool]] = {
    "no-token-check": no_token_check,
    "expired-tokens-accepted": expired_tokens_accepted,
    "unverified-signatures": unverified_signatures,
    "any-token-accepted": any_token_accepted,
    "guessable-token-secret": guessable_token_secret,
    "public-key-as-secret": public_key_as_secret,
    "tokens-without-expiry": tokens_without_expiry,
    "role-not-checked": role_not_checked,
    "sql-injection": sql_injection,
    "reflected-html": reflected_html,
    "path-traversal": path_traversal,
    "nul-byte-crash": nul_byte_crash,
    "no-rate-limit": no_rate_limit,
    "rate-limit-without-retry-after": rate_limit_without_retry_after,
    "password-hash-in-responses": password_hash_in_responses,
    "order-readable-by-other-user": order_readable_by_other_user,
    "order-deletable-by-other-user": order_deletable_by_other_user,
    "admin-guard-reads-path": admin_guard_reads_path,
    "configuration-page": configuration_page,
    "wildcard-cors-with-credentials": wildcard_cors_with_credentials,
    "origins-compared-by-prefix": origins_compared_by_prefix,
    "allowed-origin-left-out": allowed_origin_left_out,
    "preflights-approved-for-everybody": preflights_approved_for_everybody,
    "no-https-redirect": no_https_redirect,
    "no-hsts": no_hsts,
    "slow-endpoint": slow_endpoint,
    "memory-leak": memory_leak,
}


def shown(folder: Path, *flaws: str) -> set[FlawName]:
    with in_process(folder, *flaws) as api:
        return {name for name, shows in SHOWS.items() if shows(api)}


def test_without_flaws_none_shows(tmp_path: Path) -> None:
    assert shown(tmp_path) == set()


@pytest.mark.parametrize("flaw", [flaw.name for flaw in FLAWS])
def test_a_planted_flaw_shows_and_no_other_with_it(tmp_path: Path, flaw: FlawName) -> None:
    assert shown(tmp_path, flaw) == {flaw}


def test_all_of_them_show_together_but_for_those_that_others_hide(tmp_path: Path) -> None:
    # Where guessing is not limited there is no refusal that could lack its Retry-After; where a key
    # pair signs there is no secret; who needs no token, needs none that is made up; and where no
    # role is checked there is no guard to get past.
    hidden = {
        "rate-limit-without-retry-after",
        "guessable-token-secret",
        "any-token-accepted",
        "admin-guard-reads-path",
        # Where every origin is let in, none only looks allowed and none is left out.
        *("origins-compared-by-prefix", "allowed-origin-left-out"),
        "preflights-approved-for-everybody",
    }
    assert shown(tmp_path, "all") == {*SHOWS} - hidden


def test_unverified_signatures_leave_the_rest_of_a_tokens_checks_in_place(tmp_path: Path) -> None:
    with in_process(tmp_path, "unverified-signatures") as api:
        path = f"/admin/users/{api.user('bob').id}"
        refused = {
            token: api.send("GET", "/users/me", token=token).status_code
            for token in (
                "ws-random",
                "eyJhbGciOiJIUzI1NiJ9.TAMPERED.signature",
                forged(api, exp=1),
                forged(api, aud="another-api"),
                forged(api, sub=str(uuid4())),
                forged(api, sub="nobody"),
            )
        }
        assert set(refused.values()) == {401}
        assert api.send("GET", path, token=forged(api, role="admin")).status_code == 403


@pytest.mark.parametrize(
    "claim",
    [{"exp": float("inf")}, {"exp": "x"}, {"exp": []}, {"sub": 7}, {"sub": "\ud800"}, {"iat": {}}],
)
def test_claims_of_odd_types_are_refused_even_if_unsigned(
    tmp_path: Path, claim: dict[str, object]
) -> None:
    with in_process(tmp_path, "unverified-signatures") as api:
        assert api.send("GET", "/users/me", token=forged(api, **claim)).status_code == 401


def test_unverified_signatures_let_unsigned_tokens_in(tmp_path: Path) -> None:
    with in_process(tmp_path, "unverified-signatures") as api:
        header, payload, _ = forged(api).split(".")
        unsigned = jwt.encode(claims(api, "bob"), "", algorithm="none")

        assert api.send("GET", "/users/me", token=f"{header}.{payload}.").status_code == 200
        assert api.send("GET", "/users/me", token=unsigned).json()["display_name"] == "Bob"


def test_a_missing_token_check_concerns_the_list_of_users_only(tmp_path: Path) -> None:
    with in_process(tmp_path, "no-token-check") as api:
        for path in ("/users/me", "/orders", f"/orders/{uuid4()}", f"/admin/users/{uuid4()}"):
            assert api.send("GET", path).status_code == 401


def test_an_injectable_search_says_nothing_of_its_database(tmp_path: Path) -> None:
    with in_process(tmp_path, "sql-injection") as api:
        failed = api.send("GET", "/products", params={"q": "'"})

        assert failed.json() == {"title": "Internal Server Error", "status": 500}


def test_plain_http_is_redirected_to_the_servers_own_address(tmp_path: Path) -> None:
    with in_process(tmp_path) as api:
        answer = api.send(
            "POST", "/auth/token?a=%0d%0aX:1", plain=True, headers={"Host": "evil.example.com"}
        )

        assert answer.status_code == 308
        assert answer.headers["location"] == f"{HTTPS_URL}/auth/token?a=%0d%0aX:1"


def test_every_name_is_described_once_and_understood() -> None:
    names = [flaw.name for flaw in FLAWS]

    assert sorted(names) == sorted(get_args(FlawName)) == sorted(SHOWS)
    assert plant(["all"]).names == set(names)
    assert plant([" memory-leak ", ""]).names == {"memory-leak"}
    assert plant([]).names == set()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownFlawError) as refusal:
        plant(["memory-leak", "no-such-flaw"])

    assert "'no-such-flaw'" in str(refusal.value)
    assert all(flaw.name in str(refusal.value) for flaw in FLAWS)
