"""Tokens keep working after they have expired."""

from collections import Counter
from itertools import count

from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity, LoginRecipe, jwt_claims
from withstand.scan.access.granted import Access, attempt, owner_of
from withstand.scan.access.guarded import guarded_reads
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
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.expired_tokens import (
    Expired,
    backdated,
    guessed_keys,
    may_be_waited_for,
    waited_for,
)
from withstand.scan.probes.forging import without_token
from withstand.scan.probes.tokens import is_signed_with, signed
from withstand.scan.subject import Baseline, Subject

_MOST_OPERATIONS = 40
_HOW_TO_GET_ONE = (
    "no token that expires soon can be had: set short_lived under [login] to what the login "
    'request must add (short_lived = { expires_in = 2 }), or expired_token = "…"'
)


def applies(subject: Subject) -> Skipped | None:
    reads = guarded_reads(subject)
    if not reads:
        return Skipped(reason="no GET operation that needs a credential succeeded")
    if subject.expired_token is not None or may_be_waited_for(subject, reads):
        return None
    return None if guessed_keys(subject, reads) else Skipped(reason=_HOW_TO_GET_ONE)


def run(subject: Subject) -> Steps[Outcome]:
    reads = guarded_reads(subject)[:_MOST_OPERATIONS]
    if subject.expired_token is not None:
        owner = _commonest_owner(subject, reads)
        if owner is None or owner.credential is None or owner.credential.token is None:
            return not_applicable("the identities carry no token that expired_token could replace")
        credential = owner.credential.with_token(subject.expired_token)
        own = Expired(credentials={owner.name: credential})
        return (yield from _try(subject, reads, own))
    if may_be_waited_for(subject, reads):
        got = yield from waited_for(subject, reads)
    else:
        got = yield from backdated(subject, reads)
    if got is None:
        return Skipped(reason=_HOW_TO_GET_ONE)
    if not isinstance(got, Expired):
        return got
    return (yield from _try(subject, reads, got))


def _try(subject: Subject, reads: tuple[Baseline, ...], expired: Expired) -> Steps[Outcome]:
    accepted: list[str] = []
    evidence: list[Evidence] = [*expired.proof]
    unclear: str | None = None
    tested = 0
    for baseline in reads:
        credential = expired.credentials.get(baseline.identity or "")
        if credential is None:
            continue
        key = baseline.operation.key
        tried = yield from attempt(subject, baseline, credential.apply)
        if tried.access is Access.UNCLEAR:
            unclear = unclear or f"{key}: {tried.reason}"
        tested += tried.access is Access.REFUSED
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        garbage = credential.with_token(subject.nonce())
        control = yield from attempt(subject, baseline, garbage.apply)
        if control.access is not Access.REFUSED:
            unclear = unclear or (
                f"{key} accepts made-up tokens too: see garbage-credential-accepted "
                "and missing-credential-accepted"
            )
            continue
        accepted.append(key)
        if len(accepted) == 1:
            still = tried.exchange
            if expired.written and credential.token:
                still = without_token(still, credential.token)
            evidence.append(shown("After its expiry the token still works", still))
            if control.exchange is not None:
                evidence.append(shown("A made-up token is refused", control.exchange))
    if accepted:
        return Failed(
            detail=f"A token that has expired is still accepted by {len(accepted)} "
            f"operation{'s' if len(accepted) > 1 else ''}.",
            evidence=tuple(evidence),
            operations=tuple(accepted),
        )
    return PASSED if tested else Inconclusive(reason=unclear or "no operation could be tried")


def _commonest_owner(subject: Subject, reads: tuple[Baseline, ...]) -> Identity | None:
    names = Counter(baseline.identity for baseline in reads)
    most = names.most_common(1)[0][0]
    return owner_of(subject, next(b for b in reads if b.identity == most))


_KEY = b"a key of the example"
_LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",  # noqa: S106 - a JSON path, no secret
    short_lived={"expires_in": 2},
    leeway_s=0.0,
)


def _server(checks_expiry: bool) -> Server:
    seconds = count(1)  # in this example a second passes with every request

    def server(request: Request) -> Response:
        now = next(seconds)
        if request.operation_path == "/login":
            wanted = sent(request)
            name = str(wanted.get("email", "")).partition("@")[0]
            if wanted.get("password") != f"{name}-password-1":
                return UNAUTHENTICATED
            claims = {"sub": name, "iat": now, "exp": now + int(wanted.get("expires_in", 3600))}
            return answer(200, {"token": signed(claims, _KEY)})
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        good = is_signed_with(token, _KEY)
        expires = (jwt_claims(token) or {}).get("exp", 0)
        if caller(request) is None and (not good or (checks_expiry and now >= expires)):
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(checks_expiry=False)


def safe() -> Server:
    return _server(checks_expiry=True)


CHECK = Check(
    name="expired-token-accepted",
    title="Expired tokens are still accepted",
    family="authentication",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(613,), owasp=("API2:2023",), asvs=("9.2.1",), wstg=("WSTG-SESS-10",)
    ),
    explanation=(
        "A token that has expired must be as good as none. Where its expiry is not looked at, a "
        "token that leaked once, from a log or a lost laptop, opens the account for ever. The "
        "check logs in for a token that soon expires, by short_lived under [login] or because "
        "the API's tokens live no longer than a minute or two, sees it accepted, waits until its "
        "expiry and the tolerated clock skew are over, and sends it again to every read operation "
        "that needs a credential. Where the key that signs the tokens can be guessed, it writes "
        "one that expired an hour ago. That made-up tokens are refused is the control."
    ),
    remedy=(
        "Verify `exp` on every request, with a leeway of a minute at most, and switch on that "
        "option in the token library if it is off. Keep the lifetime of access tokens short. For "
        "tokens kept in a database, compare the stored expiry with the clock at each look-up."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/login": {
                "post": operation(
                    secured=False,
                    requestBody=body(email={"type": "string"}, password={"type": "string"}),
                )
            },
            "/invoices": {"get": operation()},
        },
        vulnerable=vulnerable,
        safe=safe,
        policy={"never": ("POST /login",)},  # nobody's passwords are guessed in this example
        login=_LOGIN,
    ),
)
