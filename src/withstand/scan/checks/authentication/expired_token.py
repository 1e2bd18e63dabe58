"""Tokens keep working after they have expired."""

from collections import Counter
from itertools import count

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe, jwt_claims
from withstand.scan.access.granted import Access, attempt, owner_of
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    LogIn,
    Outcome,
    Pause,
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
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.tokens import is_signed_with, signed
from withstand.scan.subject import Baseline, Subject

_LONGEST_WAIT_S = 300.0
_MOST_OPERATIONS = 40
_HOW_TO_GET_ONE = (
    "no token that expires soon can be had: set short_lived under [login] to what the login "
    'request must add (short_lived = { expires_in = 2 }), or expired_token = "…"'
)


def applies(subject: Subject) -> Skipped | None:
    if not guarded_reads(subject):
        return Skipped(reason="no GET operation that needs a credential succeeded")
    has_recipe = subject.login is not None and subject.login.short_lived is not None
    if subject.expired_token is None and not has_recipe:
        return Skipped(reason=_HOW_TO_GET_ONE)
    return None


def run(subject: Subject) -> Steps[Outcome]:
    reads = guarded_reads(subject)[:_MOST_OPERATIONS]
    if subject.expired_token is not None:
        owner = _commonest_owner(subject, reads)
        if owner is None or owner.credential is None or owner.credential.token is None:
            return not_applicable("the identities carry no token that expired_token could replace")
        credential = owner.credential.with_token(subject.expired_token)
        return (yield from _try(subject, reads, {owner.name: credential}, ()))
    expired: dict[str, Credential] = {}
    proof: list[Evidence] = []
    wait_s = 0.0
    for name in dict.fromkeys(baseline.identity for baseline in reads):
        got = yield from _short_lived(subject, reads, name or "")
        if isinstance(got, Inconclusive):
            return got
        if got is not None:
            expired[name or ""], accepted, lifetime_s = got
            proof.append(shown("Before its expiry the token is accepted", accepted))
            wait_s = max(wait_s, lifetime_s)
    if not expired:
        return Skipped(reason=_HOW_TO_GET_ONE)
    assert subject.login is not None, "applies() saw to it"
    wait_s += subject.login.leeway_s + 1.0
    if wait_s > _LONGEST_WAIT_S:
        return Skipped(
            reason=f"the shortest token lives {wait_s:.0f} s with its leeway, longer than the "
            f"{_LONGEST_WAIT_S:.0f} s that a scan waits: ask for less in short_lived under [login]"
        )
    yield Pause(seconds=wait_s)
    return (yield from _try(subject, reads, expired, tuple(proof[:1])))


def _short_lived(
    subject: Subject, reads: tuple[Baseline, ...], name: str
) -> Steps[tuple[Credential, Exchange, float] | Inconclusive | None]:
    """A token that expires soon, the exchange that shows it accepted, and its lifetime."""
    baseline = next(b for b in reads if b.identity == name)
    credential: Credential | None = yield LogIn(identity=name, short_lived=True)
    if credential is None or credential.token is None:
        return None
    bare = subject.stripped(baseline.exchange.request)
    accepted = yield from send(credential.apply(bare))
    if not accepted.succeeded:
        return Inconclusive(
            reason=f"the short-lived token was refused at once ({accepted.status}): "
            "let it live a second or two longer"
        )
    lifetime_s = _lifetime_s(credential, subject.login)
    if lifetime_s is None:
        return Inconclusive(reason="the token does not say when it expires, nor does short_lived")
    return credential, accepted, lifetime_s


def _lifetime_s(credential: Credential, login: LoginRecipe | None) -> float | None:
    """How long the token lives from now on: by its claims, else by what the login asked for."""
    claims = jwt_claims(credential.token or "") or {}
    expires_s, issued_s = claims.get("exp"), claims.get("iat")
    if isinstance(expires_s, int | float) and isinstance(issued_s, int | float):
        return max(0.0, float(expires_s) - float(issued_s))
    asked = login.short_lived if login is not None else None
    numbers = [float(v) for v in (asked or {}).values() if isinstance(v, int | float)]
    return max(numbers, default=None)


def _try(
    subject: Subject,
    reads: tuple[Baseline, ...],
    expired: dict[str, Credential],
    proof: tuple[Evidence, ...],
) -> Steps[Outcome]:
    accepted: list[str] = []
    evidence: list[Evidence] = list(proof)
    unclear: str | None = None
    tested = 0
    for baseline in reads:
        credential = expired.get(baseline.identity or "")
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
            evidence.append(shown("After its expiry the token still works", tried.exchange))
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
        "check logs in for a token that lives only seconds, sees it accepted, waits until its "
        "expiry and the tolerated clock skew are over, and sends it again to every read operation "
        "that needs a credential. That made-up tokens are refused is the control."
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
