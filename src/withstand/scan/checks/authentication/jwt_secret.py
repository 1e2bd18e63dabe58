"""The key that signs the tokens can be guessed."""

from withstand.client.exchange import Request, Response
from withstand.client.identity import jwt_claims
from withstand.scan.access.granted import Access
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, operation
from withstand.scan.finding import Confidence, Evidence, Severity
from withstand.scan.probes.forging import (
    guessed_key,
    jwt_reads,
    token_of,
    tried_with,
    without_token,
)
from withstand.scan.probes.tokens import (
    HMAC_DIGESTS,
    algorithm_of,
    is_signed_with,
    jwt_header,
    respelled,
    signed,
)
from withstand.scan.subject import Baseline, Subject

_MOST_KEYS = 3  # an API signs with one key, or one for each kind of token


def applies(subject: Subject) -> Skipped | None:
    if not jwt_reads(subject):
        return not_applicable("no operation was read with a JSON Web Token")
    if not _by_key(subject):
        return not_applicable("the tokens are not signed with a shared secret (HS256 to HS512)")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    for baseline in _by_key(subject)[:_MOST_KEYS]:
        token = token_of(subject, baseline)
        secret = guessed_key(subject, token)
        if secret is not None:
            return (yield from _failed(subject, baseline, secret))
    return PASSED


def _failed(subject: Subject, baseline: Baseline, secret: str) -> Steps[Failed]:
    """The finding; its proof is arithmetic, and a token made with the key is extra evidence."""
    token = token_of(subject, baseline)
    evidence: list[Evidence] = [
        shown("The token that this was read with is signed with the key", baseline.exchange)
    ]
    forged = respelled(token, secret.encode())
    tried = yield from tried_with(subject, baseline, forged)
    if tried.access is Access.GRANTED and tried.exchange is not None:
        made = without_token(tried.exchange, forged)
        evidence.insert(0, shown("A token that the scan signed with it is accepted", made))
    return Failed(
        detail=f"The tokens are signed ({algorithm_of(token)}) with {_masked(secret)}, which a "
        "list of common secrets, names and short numbers holds.",
        evidence=tuple(evidence),
        operations=tuple(b.operation.key for b in jwt_reads(subject)),
    )


def _by_key(subject: Subject) -> tuple[Baseline, ...]:
    """One baseline for each key that its token's header names."""
    found: dict[tuple[str, str], Baseline] = {}
    for baseline in jwt_reads(subject):
        token = token_of(subject, baseline)
        if algorithm_of(token) in HMAC_DIGESTS:
            kid = str((jwt_header(token) or {}).get("kid"))
            found.setdefault((algorithm_of(token), kid), baseline)
    return tuple(found.values())


def _masked(secret: str) -> str:
    if not secret:
        return "an empty key"
    return f"the key {secret[0]}{'•' * (len(secret) - 1)} ({len(secret)} characters)"


_NOW_S = 1_750_000_000  # in this example no time passes


def _tokens(key: bytes) -> dict[str, str]:
    claims = {"iat": _NOW_S, "exp": _NOW_S + 3600}
    return {name: signed({"sub": name, **claims}, key) for name in ("alice", "bob", "root")}


_GOOD_KEY = b"\x8f\x1d 32 random bytes, of the example"
_WEAK_KEY = b"supersecret"


def _server(key: bytes) -> Server:
    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        expires_s = (jwt_claims(token) or {}).get("exp", 0)
        if not is_signed_with(token, key) or expires_s <= _NOW_S:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(_WEAK_KEY)


def safe() -> Server:
    return _server(_GOOD_KEY)


CHECK = Check(
    name="jwt-secret-guessable",
    title="The secret that signs the tokens can be guessed",
    family="authentication",
    severity=Severity.CRITICAL,
    confidence=Confidence.CERTAIN,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(326, 521),
        owasp=("API2:2023",),
        asvs=("11.2.3", "13.3.1"),
        wstg=("WSTG-SESS-10",),
        rfc=("RFC 8725, 3.5",),
    ),
    explanation=(
        "Who knows the secret of an HMAC signature writes tokens for everybody, administrators "
        "included, and nothing tells them from real ones. A token is enough to try a million "
        "secrets within seconds, without asking the API once. The check does so with some hundred "
        "common secrets of tutorials, templates and defaults, with the names that the API gives "
        "itself, and with every number of up to five digits, of six in the abuse profile. A match "
        "is proof by arithmetic; where the API also accepts a token that was made with the secret, "
        "that is shown."
    ),
    remedy=(
        "Draw the secret from a random source, 32 bytes or more for HS256 (`openssl rand -base64 "
        "48`), and give it to the API by its environment or a secret store, without a default in "
        "the code. Then replace it wherever the guessable one was in use: tokens made with that "
        "one must not be accepted any longer."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/invoices": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        tokens=_tokens(_WEAK_KEY),
        safe_tokens=_tokens(_GOOD_KEY),
    ),
)
