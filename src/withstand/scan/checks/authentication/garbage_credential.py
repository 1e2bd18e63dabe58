"""An operation takes any credential for a good one."""

from collections.abc import Iterator
from functools import partial

from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential
from withstand.scan.access.granted import Access, Alter, attempt, owner_of
from withstand.scan.access.guarded import guarded_reads, is_guarded
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
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.everywhere import most_others, serves_alike
from withstand.scan.subject import Baseline, Subject

_TAMPERED = "eyJhbGciOiJIUzI1NiJ9.TAMPERED.signature"


def applies(subject: Subject) -> Skipped | None:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if subject.policy.is_public(wanted):
        return not_applicable("listed under public: anybody may call it")
    if not is_guarded(subject, wanted):
        return not_applicable("nothing says that it needs a credential")
    if subject.owner is None or subject.owner.credential is None:
        return Skipped(reason="no identity with a credential called it with success")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    baseline = subject.baseline
    owner = owner_of(subject, baseline) if baseline else None
    assert baseline is not None, "applies() saw to it"
    assert owner is not None, "applies() saw to it"
    assert owner.credential is not None, "applies() saw to it"
    unclear: str | None = None
    for what, alter in _variants(owner.credential, subject.nonce(), baseline.operation.is_read):
        tried = yield from attempt(subject, baseline, alter)
        if tried.access is Access.UNCLEAR:
            unclear = unclear or f"with {what}: {tried.reason}"
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        bare = yield from attempt(subject, baseline, lambda request: request)
        if bare.access is Access.GRANTED:
            return Inconclusive(
                reason="it answers without any credential: see missing-credential-accepted"
            )
        evidence = [shown(f"Sent with {what}", tried.exchange)]
        if bare.exchange is not None:
            evidence.append(shown("Without a credential it is refused", bare.exchange))
        others = (b for b in guarded_reads(subject) if b.operation.key != baseline.operation.key)
        everywhere = yield from most_others(others, partial(_takes_any, subject))
        return Failed(
            detail=f"Called with {what}, {tried.reason}."
            + (" Most operations take a made-up credential." if everywhere else ""),
            evidence=tuple(evidence),
            confidence=Confidence.FIRM if tried.telling else Confidence.TENTATIVE,
            whole_api=everywhere,
        )
    return Inconclusive(reason=unclear) if unclear else PASSED


def _takes_any(subject: Subject, other: Baseline) -> Steps[bool]:
    """Whether another read serves a made-up credential what it gave its owner; and nobody else."""
    owner, bare = owner_of(subject, other), subject.stripped(other.exchange.request)
    if owner is None or owner.credential is None:
        return False
    made_up = _made_up(owner.credential, _TAMPERED).apply(bare)
    if not (yield from serves_alike(subject, other, made_up)):
        return False
    return not (yield from serves_alike(subject, other, bare))


def _made_up(credential: Credential, text: str) -> Credential:
    """A credential that is sent where the real one is."""
    if credential.token is not None:
        return credential.with_token(text)
    return Credential(headers=tuple((name, text) for name, _ in credential.headers))


def _variants(credential: Credential, nonce: str, every_one: bool) -> Iterator[tuple[str, Alter]]:
    """Made-up credentials: sent where the real one is, then in other forms (for reads only)."""
    if credential.token is None:
        values = (("a made-up credential", nonce), ("an empty credential", ""))
        for what, value in values if every_one else values[:1]:
            yield what, _made_up(credential, value).apply
        return
    yield "a made-up token", credential.with_token(nonce).apply
    if not every_one:
        return
    yield "a token that only looks like one", credential.with_token(_TAMPERED).apply
    yield "an empty token", credential.with_token("").apply
    if any(name.lower() == "authorization" for name, _ in credential.headers):
        basic = Credential(headers=(("Authorization", "Basic d3M6d3M="),))
        yield "another scheme than the one it needs", basic.apply


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if request.header("authorization") is None:  # that it is there is all that is asked
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


CHECK = Check(
    name="garbage-credential-accepted",
    title="An operation accepts a made-up credential",
    family="authentication",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(287,), owasp=("API2:2023",), asvs=("6.3.4", "8.2.1"), wstg=("WSTG-ATHN-04",)
    ),
    explanation=(
        "The operation refuses callers without a credential, but believes any text in its place: "
        "a random token, an empty one, or another scheme. The code then asks whether a credential "
        "is there, not whether it is a good one. The check repeats a request that works with "
        "made-up credentials and compares the answers with what the authorised identity gets. "
        "Where most operations take a made-up credential, that is one finding for all of them."
    ),
    remedy=(
        "Verify the credential itself and refuse with 401 when that fails for whatever reason: "
        "unknown token, wrong scheme, text that cannot be parsed. Let the verifying code raise on "
        "anything it does not know instead of falling through."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/invoices": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
