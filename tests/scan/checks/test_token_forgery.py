"""Tokens: keys that can be guessed or mistaken, claims that are believed, how long they live."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from withstand.client.exchange import Request, Response
from withstand.client.identity import jwt_claims
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, not_found, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes import weak_secrets
from withstand.scan.probes.public_keys import keys_in
from withstand.scan.probes.tokens import (
    algorithm_of,
    is_hmac_of,
    is_jwt,
    signature_of,
    signed,
    signed_as,
)
from withstand.scan.probes.weak_secrets import guessed_secret
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, scanned, state

THINGS: dict[str, Any] = {"/things": {"get": operation()}}
SECRET = "jwt-secret-guessable"
CONFUSION = "jwt-algorithm-confusion"
SIGNATURE = "jwt-signature-not-verified"
EXPIRY = "token-without-expiry"
HOUR = {"iat": 1_750_000_000, "exp": 1_750_003_600}
STRONG = b"\x01 a key that nobody has in a list \x02"


def tokens(key: bytes, algorithm: str = "HS256", **claims: object) -> dict[str, str]:
    """One for alice and one for bob."""
    return {
        name: signed_as(signed({"sub": name, **HOUR, **claims}, key), algorithm, key)
        for name in ("alice", "bob")
    }


def verifying(key: bytes) -> Server:
    """Serves who has a token that is signed with the key."""

    def server(request: Request) -> Response:
        if request.path != "/things":
            return not_found()
        token = bearer(request)
        claims = jwt_claims(token) or {}
        if not is_hmac_of(token, key):
            return UNAUTHENTICATED
        return answer(200, {"of": claims.get("sub")})

    return server


def bearer(request: Request) -> str:
    return (request.header("authorization") or "").removeprefix("Bearer ")


# --- guessable secrets --------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize(
    "key", ["secret", "your-256-bit-secret", "keyboard cat", "007", "", "tiny"]
)
def test_a_guessable_secret_is_found_and_a_token_made_with_it_is_accepted(
    key: str, algorithm: str
) -> None:
    people = identities(("alice", "bob"), tokens(key.encode(), algorithm))
    (finding,) = findings(SECRET, verifying(key.encode()), THINGS, people=people)
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.CERTAIN)
    assert "scan signed" in finding.evidence[0].caption
    assert algorithm in finding.detail


def test_neither_the_secret_nor_a_token_made_with_it_is_printed() -> None:
    people = identities(("alice",), tokens(b"your-256-bit-secret"))
    found = findings(SECRET, verifying(b"your-256-bit-secret"), THINGS, people=people)
    printed = repr(found)
    assert "your-256-bit-secret" not in printed
    assert "eyJ" not in printed
    assert "FORGED" in printed


def test_a_random_secret_is_not_found() -> None:
    people = identities(("alice", "bob"), tokens(STRONG))
    what, _ = state(SECRET, verifying(STRONG), THINGS, people=people)
    assert what is CoverageState.PASSED


def test_a_server_that_knows_its_tokens_by_heart_cannot_hide_a_guessable_secret() -> None:
    issued = tokens(b"changeme")

    def server(request: Request) -> Response:
        known = bearer(request) in issued.values()
        return answer(200, {"a": 1}) if known else UNAUTHENTICATED

    (finding,) = findings(SECRET, server, THINGS, people=identities(("alice",), issued))
    assert len(finding.evidence) == 1


def test_tokens_that_are_not_signed_by_hmac_have_no_secret_to_guess() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if bearer(request) == "alice-token" else UNAUTHENTICATED

    assert state(SECRET, server, THINGS)[0] is CoverageState.NOT_APPLICABLE


def test_every_number_of_up_to_six_digits_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weak_secrets, "MOST_DIGITS", 6)
    token = signed({"sub": "alice"}, b"004217")
    assert guessed_secret(token) == "004217"


@pytest.mark.parametrize(
    "secret", ["petshop", "Pet-Shop-secret", "pet_shop_key", "PETSHOP_JWT_SECRET", "pet123", "shop"]
)
def test_what_the_api_calls_itself_is_tried(secret: str) -> None:
    assert guessed_secret(signed({"sub": "a"}, secret.encode()), ("Pet Shop",)) == secret


# --- algorithm confusion ------------------------------------------------------------------------

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
Pair = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def pem(key: Pair, form: str = "SubjectPublicKeyInfo") -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, getattr(serialization.PublicFormat, form)
    )


def number(value: int, size: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def jwk(key: Pair) -> dict[str, str]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n, 256), "e": "AQAB", "use": "sig"}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": number(int.from_bytes(raw, "big"), 32)}


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY, ED_KEY], ids=["rsa", "ec", "ed25519"])
def test_a_key_of_a_jwks_becomes_the_pem_that_a_server_holds(key: Pair) -> None:
    found = keys_in(json.dumps({"keys": [jwk(key)]}))
    assert found[:2] == (pem(key), pem(key).rstrip(b"\n"))


def test_both_kinds_of_rsa_pem_become_each_other() -> None:
    for form in ("SubjectPublicKeyInfo", "PKCS1"):
        found = keys_in(f"Our key:\r\n{pem(RSA_KEY, form).decode()}".replace("\n", "\r\n"))
        assert {pem(RSA_KEY), pem(RSA_KEY, "PKCS1")} <= set(found)


def test_text_without_a_key_holds_none() -> None:
    assert keys_in('{"keys": []}') == keys_in("-----BEGIN PUBLIC KEY-----") == keys_in("") == ()


def confusing(
    secret: bytes | None, place: str, document: object = None, *, sort: str = "RS256"
) -> tuple[Server, dict[str, str]]:
    """A server whose tokens a key pair signs, and that takes HMAC with `secret` as well."""
    shown_document = {"keys": [jwk(RSA_KEY)]} if document is None else document
    # What a key pair signed is here what the server issued: only HMAC is verified.
    issued = {"alice": signed_as(signed({"sub": "alice", **HOUR}, STRONG), "HS256", STRONG)}
    head, claims, signature = issued["alice"].split(".")
    header = {"alg": sort, "typ": "JWT", "kid": "1"}
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    issued = {"alice": f"{head}.{claims}.{signature}"}

    def server(request: Request) -> Response:
        if request.path == place:
            return answer(200, shown_document)
        if request.path != "/things":
            return not_found()
        token = bearer(request)
        good = token in issued.values() or (secret is not None and is_hmac_of(token, secret))
        return answer(200, {"a": 1}) if good else UNAUTHENTICATED

    return server, issued


@pytest.mark.parametrize(
    "secret",
    [pem(RSA_KEY), pem(RSA_KEY).strip(), pem(RSA_KEY, "PKCS1"), pem(RSA_KEY, "PKCS1").strip()],
    ids=["pem", "pem stripped", "pkcs1", "pkcs1 stripped"],
)
@pytest.mark.parametrize("place", ["/.well-known/jwks.json", "/jwks.json", "/auth/jwks"])
def test_a_public_key_taken_for_a_secret_is_found(secret: bytes, place: str) -> None:
    server, issued = confusing(secret, place)
    people = identities(("alice",), issued)
    (finding,) = findings(CONFUSION, server, THINGS, people=people)
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.CERTAIN)
    assert "eyJ" not in repr(finding.evidence[0])


@pytest.mark.parametrize("sort", ["ES256", "PS512", "EdDSA"])
def test_it_is_found_whatever_the_pair_signs_with(sort: str) -> None:
    key: Pair = EC_KEY if sort == "ES256" else ED_KEY if sort == "EdDSA" else RSA_KEY
    document = {"keys": [jwk(key)]}
    server, issued = confusing(pem(key), "/jwks", document, sort=sort)
    assert findings(CONFUSION, server, THINGS, people=identities(("alice",), issued))


def test_an_openid_configuration_leads_to_the_keys() -> None:
    server, issued = confusing(pem(RSA_KEY), "/elsewhere/keys")
    openid = {"jwks_uri": "http://127.0.0.1:9/elsewhere/keys"}

    def leading(request: Request) -> Response:
        if request.path == "/.well-known/openid-configuration":
            return answer(200, openid)
        return server(request)

    assert findings(CONFUSION, leading, THINGS, people=identities(("alice",), issued))


def test_keys_on_a_host_that_nobody_allowed_are_not_asked_for() -> None:
    server, issued = confusing(pem(RSA_KEY), "/elsewhere/keys")
    openid = {"jwks_uri": "https://login.example.org/elsewhere/keys"}

    def leading(request: Request) -> Response:
        if request.path == "/.well-known/openid-configuration":
            return answer(200, openid)
        return server(request)

    people = identities(("alice",), issued)
    what, reason = state(CONFUSION, leading, THINGS, people=people)
    assert what is CoverageState.SKIPPED
    assert "public_key" in reason


@pytest.mark.parametrize("given", [pem(RSA_KEY).decode(), "/keys/of/ours"])
def test_a_key_named_by_the_user_is_used(given: str) -> None:
    server, issued = confusing(pem(RSA_KEY).strip(), "/keys/of/ours")
    people = identities(("alice",), issued)
    assert findings(CONFUSION, server, THINGS, people=people, public_key=given)
    assert state(CONFUSION, server, THINGS, people=people)[0] is CoverageState.SKIPPED


def test_a_verifier_that_takes_no_hmac_passes() -> None:
    server, issued = confusing(None, "/.well-known/jwks.json")
    people = identities(("alice",), issued)
    assert state(CONFUSION, server, THINGS, people=people)[0] is CoverageState.PASSED


def test_a_verifier_that_believes_any_signature_has_another_flaw() -> None:
    _, issued = confusing(None, "/.well-known/jwks.json")

    def server(request: Request) -> Response:
        if request.path == "/.well-known/jwks.json":
            return answer(200, {"keys": [jwk(RSA_KEY)]})
        if request.path != "/things":
            return not_found()
        return answer(200, {"a": 1}) if is_jwt(bearer(request)) else UNAUTHENTICATED

    people = identities(("alice",), issued)
    what, reason = state(CONFUSION, server, THINGS, people=people)
    assert what is CoverageState.INCONCLUSIVE
    assert SIGNATURE in reason


# --- claims under somebody else's signature -----------------------------------------------------


def remembering(issued: dict[str, str], *, by_signature: bool) -> Server:
    """A server that keeps the signatures that it made, and looks them up."""
    signatures = {signature_of(token) for token in issued.values()}

    def server(request: Request) -> Response:
        token = bearer(request)
        good = signature_of(token) in signatures if by_signature else token in issued.values()
        if not is_jwt(token) or algorithm_of(token) != "HS256" or not good:
            return UNAUTHENTICATED
        return answer(200, {"of": (jwt_claims(token) or {}).get("sub")})

    return server


def test_claims_of_somebody_else_under_a_known_signature_are_found() -> None:
    issued = tokens(STRONG)
    people = identities(("alice", "bob"), issued)
    server = remembering(issued, by_signature=True)
    (finding,) = findings(SIGNATURE, server, THINGS, people=people)
    assert "the caller is bob" in finding.detail
    assert "eyJ" not in repr(finding)


def test_a_server_that_remembers_whole_tokens_believes_no_others() -> None:
    issued = tokens(STRONG)
    people = identities(("alice", "bob"), issued)
    server = remembering(issued, by_signature=False)
    assert state(SIGNATURE, server, THINGS, people=people)[0] is CoverageState.PASSED


def test_claims_of_somebody_else_prove_nothing_where_all_see_the_same() -> None:
    issued = tokens(STRONG)
    signatures = {signature_of(token) for token in issued.values()}

    def server(request: Request) -> Response:
        good = signature_of(bearer(request)) in signatures
        return answer(200, {"of": "everybody"}) if good else UNAUTHENTICATED

    assert findings(SIGNATURE, server, THINGS, people=identities(("alice", "bob"), issued)) == ()


# --- expiry -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "severity"),
    [
        ({"iat": 1_750_000_000}, Severity.LOW),
        ({"iat": 1_750_000_000, "exp": 1_750_000_000 + 90 * 86_400}, Severity.INFO),
        ({"iat": 1_750_000_000, "exp": 10**400}, Severity.INFO),
    ],
)
def test_tokens_that_live_too_long_are_named_but_fail_no_build(
    claims: dict[str, object], severity: Severity
) -> None:
    issued = {"alice": signed({"sub": "alice", **claims}, STRONG)}
    people = identities(("alice",), issued)
    (finding,) = findings(EXPIRY, verifying(STRONG), THINGS, people=people)
    assert finding.severity is severity


@pytest.mark.parametrize(
    "claims",
    [
        HOUR,
        {"iat": 1_750_000_000.25, "exp": 1_750_003_600.5},
        {"exp": 1_750_003_600},
        {"iat": 1_750_000_000, "exp": 1_750_000_000 + 30 * 86_400},
        {"iat": "yesterday", "exp": 4_000_000_000},
    ],
)
def test_tokens_that_end_within_a_month_pass(claims: dict[str, object]) -> None:
    issued = {"alice": signed({"sub": "alice", **claims}, STRONG)}
    people = identities(("alice",), issued)
    assert state(EXPIRY, verifying(STRONG), THINGS, people=people)[0] is CoverageState.PASSED


def test_the_expiry_of_tokens_is_read_without_a_request() -> None:
    people = identities(("alice",), tokens(STRONG))
    counts = [
        len(scanned(verifying(STRONG), THINGS, people=people, checks=checks)[1])
        for checks in ((), (check_named(EXPIRY),))
    ]
    assert counts[1] - counts[0] <= 1  # the canary that follows every check
