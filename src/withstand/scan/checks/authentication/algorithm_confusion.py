"""A token signed with the API's public key, as if it were a shared secret, is believed."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from hashlib import sha256
from json import dumps
from urllib.parse import urlsplit

from withstand.client.exchange import Request, Response
from withstand.scan.access.granted import Access
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, not_found, operation
from withstand.scan.finding import Confidence, Evidence, Severity
from withstand.scan.probes.forging import jwt_reads, token_of, tried_with, without_token
from withstand.scan.probes.public_keys import jwks_address, keys_in
from withstand.scan.probes.tokens import (
    HMAC_DIGESTS,
    algorithm_of,
    is_hmac_of,
    is_jwt,
    signature_of,
    signed_as,
)
from withstand.scan.subject import Baseline, Subject

_KEY_PAIRS = ("RS", "PS", "ES", "Ed")
_OPENID = "/.well-known/openid-configuration"
_PLACES = (
    "/.well-known/jwks.json",
    _OPENID,
    "/jwks.json",
    "/jwks",
    "/.well-known/jwks",
    "/oauth/jwks",
    "/oauth2/jwks",
    "/auth/jwks",
    "/public-key",
    "/public_key",
    "/auth/public-key",
)
_MOST_SPELLINGS = 24


def applies(subject: Subject) -> Skipped | None:
    if not jwt_reads(subject):
        return not_applicable("no operation was read with a JSON Web Token")
    if not _by_key_pair(subject):
        return not_applicable("the tokens are not signed with a key pair (RS256, ES256 …)")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    baseline = _by_key_pair(subject)[0]
    token = token_of(subject, baseline)
    found = yield from _keys(subject)
    if not found:
        return Skipped(
            reason="no public key was found at /.well-known/jwks.json or the like: name its file, "
            "or its path on the API, with public_key under [security]"
        )
    for key in found[:_MOST_SPELLINGS]:
        forged = signed_as(token, "HS256", key)
        tried = yield from tried_with(subject, baseline, forged)
        if tried.access is Access.UNCLEAR:
            return Inconclusive(reason=f"with a token signed by HMAC: {tried.reason}")
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        other = signed_as(token, "HS256", subject.nonce().encode())
        control = yield from tried_with(subject, baseline, other)
        if control.access is not Access.REFUSED:
            return Inconclusive(
                reason="tokens signed with any key are accepted: see jwt-signature-not-verified"
            )
        evidence: list[Evidence] = [
            shown(
                "Signed by HS256 with the public key for a secret, the token is accepted",
                without_token(tried.exchange, forged),
            )
        ]
        if control.exchange is not None:
            evidence.append(
                shown("Signed by HS256 with another key it is refused", control.exchange)
            )
        return Failed(
            detail=f"The API signs its tokens with {algorithm_of(token)}, but believes one that is "
            "signed by HS256 with its public key, which anybody may have.",
            evidence=tuple(evidence),
            operations=tuple(b.operation.key for b in jwt_reads(subject)),
        )
    return PASSED


def _by_key_pair(subject: Subject) -> tuple[Baseline, ...]:
    return tuple(
        baseline
        for baseline in jwt_reads(subject)
        if algorithm_of(token_of(subject, baseline)).startswith(_KEY_PAIRS)
    )


def _keys(subject: Subject) -> Steps[tuple[bytes, ...]]:
    """Spellings of the first keys found: named by the user, seen before, or at usual places."""
    given = subject.public_key or ""
    found = keys_in(given)
    if found:
        return found
    for exchange in subject.observed:
        response = exchange.response
        if response is not None and (b"PUBLIC KEY-" in response.body or b'"kty"' in response.body):
            found = found or keys_in(response.text)
    if found and not given:
        return found
    for path in [given] if given.startswith("/") else _paths(subject):
        found = yield from _keys_at(subject, path)
        if found:
            return found
    return ()


def _keys_at(subject: Subject, path: str) -> Steps[tuple[bytes, ...]]:
    exchange = yield from send(Request(method="GET", path=path))
    if not exchange.succeeded or exchange.response is None:
        return ()
    address = jwks_address(exchange.response.text)
    if address is None:
        return keys_in(exchange.response.text)
    parts = urlsplit(address)
    if parts.hostname not in {None, subject.target.host}:
        return ()  # keys of another host are not asked for: nobody allowed it
    there = yield from send(Request(method="GET", path=parts.path or "/"))
    return keys_in(there.response.text) if there.succeeded and there.response else ()


def _paths(subject: Subject) -> Iterator[str]:
    yield from (subject.target.base_path + place for place in _PLACES)
    if subject.target.base_path:
        yield from _PLACES[:3]


_MODULUS = (
    "w0mQg-Ln5BGaZecteqrI4e42jXcfmeqAlWiWpqifMRIYF2w0oQs0NqSydF7H2LuasoOz4o31wta7xlZBT09Bz_Yj"
    "KE5JjbfyWR_Fpmm6WKTfjWGDH2k1wo81Z4tBJCSJK1P-kKGeeZtfS1AEns_z8TuVHipBwvI1mrGNfdonTNU"
)
_ALICE = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhbGljZSIsImlhdCI6MTc1MDAwM"
    "DAwMCwiZXhwIjoxNzUwMDAzNjAwfQ.TJkMohZ7Pgauj16HvGEr7pOQcjYnY8i1KnnBhtC0aeX9Wy4i7I-9If60oY"
    "xnLFglpIKgU_mtOid6X_2Goq4BCThjSbZlx4wIFC-mp7Auqhgo-diIqtrSh6gnfXUyA4OVcZLyxg3uWijQsNbR1n"
    "sDXa3E9Yn4H-RQrlKRAI5OGWQ"
)
_JWKS = {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "n": _MODULUS, "e": "AQAB"}]}


def _is_signed_by_pair(token: str) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2), which needs no more than the public key."""
    modulus = int.from_bytes(urlsafe_b64decode(_MODULUS + "=="), "big")
    size = (modulus.bit_length() + 7) // 8
    signature = int.from_bytes(signature_of(token), "big")
    digest = sha256(token.rpartition(".")[0].encode()).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    wanted = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    return pow(signature, 65537, modulus) == int.from_bytes(wanted, "big")


def _server(*, takes_hmac: bool) -> Server:
    key = keys_in(dumps(_JWKS))[0]

    def server(request: Request) -> Response:
        if request.path == "/.well-known/jwks.json":
            return answer(200, _JWKS)
        if request.path != "/invoices":
            return not_found()
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if not is_jwt(token):
            return UNAUTHENTICATED
        if algorithm_of(token) in HMAC_DIGESTS:
            good = takes_hmac and is_hmac_of(token, key)
        else:
            good = algorithm_of(token) == "RS256" and _is_signed_by_pair(token)
        if not good:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(takes_hmac=True)  # the token says how it is verified


def safe() -> Server:
    return _server(takes_hmac=False)


CHECK = Check(
    name="jwt-algorithm-confusion",
    title="Tokens signed with the public key as a secret are accepted",
    family="authentication",
    severity=Severity.CRITICAL,
    confidence=Confidence.CERTAIN,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(347,),
        owasp=("API2:2023",),
        asvs=("9.1.2",),
        wstg=("WSTG-SESS-10",),
        rfc=("RFC 8725, 2.1 and 3.1",),
    ),
    explanation=(
        "The API signs with a key pair, and its public key is for everybody to have. A verifier "
        "that takes the algorithm from the token can be told HS256: then it uses the public key "
        "as a shared secret, and everybody can sign. The check takes the key from where APIs "
        "publish it, from answers that it saw or from the configuration, signs the claims of a "
        "working token with it in each way in which servers store such keys, and compares what "
        "comes back. That HS256 with another key is refused is the control."
    ),
    remedy=(
        'Name the algorithms to the verifying call (`algorithms=["RS256"]`) and never take them '
        "from the token. Keep keys as key objects that know what they are for, not as text that "
        "fits any algorithm. Current token libraries refuse a PEM text as an HMAC key: update."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/invoices": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        tokens={"alice": _ALICE},
    ),
)
