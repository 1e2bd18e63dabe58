"""The claims of a JSON Web Token are believed whatever its signature says."""

from collections.abc import Iterator

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.access import Access, Attempt, attempt, guarded_reads, owner_of
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
from withstand.scan.examples import UNAUTHENTICATED, answer, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.subject import Baseline, Subject
from withstand.scan.tokens import (
    NONE_SPELLINGS,
    flipped,
    is_jwt,
    is_signed_with,
    signed,
    signed_with_unknown_key,
    unsigned,
    with_algorithm_none,
)

_MOST_OPERATIONS = 40


def applies(subject: Subject) -> Skipped | None:
    if not guarded_reads(subject):
        return Skipped(reason="no GET operation that needs a credential succeeded")
    if not _with_jwt(subject):
        return not_applicable("no identity's credential is a JSON Web Token")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    first, *others = _with_jwt(subject)
    token = _token(subject, first)
    believed: list[tuple[str, Exchange]] = []
    unclear: str | None = None
    for what, forged in _forgeries(token, subject.nonce()):
        tried = yield from _attempt(subject, first, forged)
        if tried.access is Access.UNCLEAR:
            unclear = unclear or f"with {what}: {tried.reason}"
        if tried.access is Access.GRANTED and tried.exchange is not None:
            believed.append((what, tried.exchange))
    operations: list[str] = []
    if believed:
        made_up = yield from _attempt(subject, first, subject.nonce())
        if made_up.access is not Access.REFUSED:
            return Inconclusive(
                reason="made-up tokens are accepted too: see garbage-credential-accepted "
                "and missing-credential-accepted"
            )
        operations.append(first.operation.key)
    for baseline in others[:_MOST_OPERATIONS]:  # some routes verify on their own
        forged = next(
            forged
            for what, forged in _forgeries(_token(subject, baseline), subject.nonce())
            if not believed or what == believed[0][0]
        )
        tried = yield from _attempt(subject, baseline, forged)
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        made_up = yield from _attempt(subject, baseline, subject.nonce())
        if made_up.access is Access.REFUSED:
            operations.append(baseline.operation.key)
            believed = believed or [("one bit of the signature changed", tried.exchange)]
    if not believed:
        return Inconclusive(reason=unclear) if unclear else PASSED
    return Failed(
        detail=f"Tokens are accepted with {', with '.join(what for what, _ in believed)}.",
        evidence=tuple(shown(f"Sent with {what}", exchange) for what, exchange in believed),
        operations=tuple(operations),
        confidence=Confidence.CERTAIN,
    )


def _with_jwt(subject: Subject) -> tuple[Baseline, ...]:
    return tuple(b for b in guarded_reads(subject) if is_jwt(_token(subject, b)))


def _token(subject: Subject, baseline: Baseline) -> str:
    owner = owner_of(subject, baseline)
    return (owner.credential.token or "") if owner is not None and owner.credential else ""


def _attempt(subject: Subject, baseline: Baseline, token: str) -> Steps[Attempt]:
    owner = owner_of(subject, baseline)
    assert owner is not None, "guarded reads have an owner"
    assert owner.credential is not None, "who has a JWT has a credential"
    return (yield from attempt(subject, baseline, owner.credential.with_token(token).apply))


def _forgeries(token: str, nonce: str) -> Iterator[tuple[str, str]]:
    yield "one bit of the signature changed", flipped(token)
    yield "a signature by an unknown key", signed_with_unknown_key(token, nonce.encode())
    yield "no signature", unsigned(token)
    for spelling in NONE_SPELLINGS:
        yield f"the algorithm {spelling!r}", with_algorithm_none(token, spelling)


_KEY = b"a key of the example"
_TOKENS = {
    name: signed({"sub": name, "exp": 4_000_000_000}, _KEY) for name in ("alice", "bob", "root")
}


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if not is_jwt(token):  # it can be read, and that is taken for verification
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if not is_signed_with(token, _KEY):
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


CHECK = Check(
    name="jwt-signature-not-verified",
    title="The signature of tokens is not verified",
    family="authentication",
    severity=Severity.CRITICAL,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(347, 345),
        owasp=("API2:2023",),
        asvs=("9.1.1", "9.1.2"),
        wstg=("WSTG-SESS-10",),
        rfc=("RFC 8725, 2.1",),
    ),
    explanation=(
        "Anybody can write a JSON Web Token; only its signature shows that the API wrote it. "
        "Where the signature is not verified, everybody can be everybody, administrators "
        "included. The check takes a token that works, keeps its claims and spoils the signature: "
        "one bit changed in its middle, signed by an unknown key, removed, or declared needless "
        "by the algorithm `none`. A finding names the variants that were believed."
    ),
    remedy=(
        "Verify tokens with the library's verifying call, not its decoding one, and pass the list "
        "of algorithms that you use; never take the algorithm from the token itself. Look for an "
        "option that switches verification off and was left over from development."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/invoices": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        tokens=_TOKENS,
    ),
)
