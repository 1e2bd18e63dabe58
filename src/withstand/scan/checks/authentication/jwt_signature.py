"""The claims of a JSON Web Token are believed whatever its signature says."""

from collections.abc import Iterator

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.access.granted import Access, refuses
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.answers.similarity import same_content, volatile_places
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
from withstand.scan.examples import UNAUTHENTICATED, answer, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.forging import jwt_reads, token_of, tried_with, without_token
from withstand.scan.probes.tokens import (
    NONE_SPELLINGS,
    flipped,
    is_jwt,
    is_signed_with,
    signed,
    signed_with_unknown_key,
    unsigned,
    with_algorithm_none,
    with_claims_of,
)
from withstand.scan.subject import Baseline, Subject

_MOST_OPERATIONS = 40


def applies(subject: Subject) -> Skipped | None:
    if not guarded_reads(subject):
        return Skipped(reason="no GET operation that needs a credential succeeded")
    if not jwt_reads(subject):
        return not_applicable("no identity's credential is a JSON Web Token")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    first, *others = jwt_reads(subject)
    token = token_of(subject, first)
    believed: list[tuple[str, Exchange]] = []
    unclear: str | None = None
    for what, forged in _forgeries(token, subject.nonce()):
        tried = yield from tried_with(subject, first, forged)
        if tried.access is Access.UNCLEAR:
            unclear = unclear or f"with {what}: {tried.reason}"
        if tried.access is Access.GRANTED and tried.exchange is not None:
            # But for one bit it is the real token, which nobody may read in a report.
            near = forged == flipped(token)
            believed.append(
                (what, without_token(tried.exchange, forged) if near else tried.exchange)
            )
    operations: list[str] = []
    if believed:
        made_up = yield from tried_with(subject, first, subject.nonce())
        if made_up.access is not Access.REFUSED:
            return Inconclusive(
                reason="made-up tokens are accepted too: see garbage-credential-accepted "
                "and missing-credential-accepted"
            )
        operations.append(first.operation.key)
    for baseline in others[:_MOST_OPERATIONS]:  # some routes verify on their own
        forged = next(
            forged
            for what, forged in _forgeries(token_of(subject, baseline), subject.nonce())
            if not believed or what == believed[0][0]
        )
        tried = yield from tried_with(subject, baseline, forged)
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        made_up = yield from tried_with(subject, baseline, subject.nonce())
        if made_up.access is Access.REFUSED:
            operations.append(baseline.operation.key)
            near_real = without_token(tried.exchange, forged)
            believed = believed or [("one bit of the signature changed", near_real)]
    if not believed:
        swapped = yield from _somebody_else(subject, first)
        if swapped is not None:
            return swapped
        return Inconclusive(reason=unclear) if unclear else PASSED
    return Failed(
        detail=f"Tokens are accepted with {', with '.join(what for what, _ in believed)}.",
        evidence=tuple(shown(f"Sent with {what}", exchange) for what, exchange in believed),
        operations=tuple(operations),
        confidence=Confidence.CERTAIN,
    )


def _somebody_else(subject: Subject, baseline: Baseline) -> Steps[Failed | None]:
    """Somebody else's claims under this one's signature: a flaw when that shows their data.

    Where a signature is only looked up or remembered, a spoilt one is refused and this is not.
    """
    token = token_of(subject, baseline)
    bare = subject.stripped(baseline.exchange.request)
    for other in subject.identities:
        theirs = other.credential.token if other.credential else None
        if theirs is None or not is_jwt(theirs) or other.name == baseline.identity:
            continue
        forged = with_claims_of(token, theirs)
        owner = subject.identity(baseline.identity or "")
        assert owner.credential is not None, "who has a token has a credential"
        exchange = yield from send(owner.credential.with_token(forged).apply(bare))
        response = exchange.response
        if response is None or not response.succeeded or refuses(subject, response):
            continue
        own = yield from send(owner.authorize(bare))
        their_own = yield from send(other.authorize(bare))
        again = yield from send(other.authorize(bare))
        if own.response is None or their_own.response is None or not their_own.succeeded:
            continue
        volatile = volatile_places(their_own.response, again.response)
        shows_theirs = same_content(their_own.response, response, volatile=volatile)
        shows_own = same_content(own.response, response, volatile=volatile)
        if shows_theirs and not shows_own:
            return Failed(
                detail=f"With the claims of {other.name}'s token under the signature of "
                f"{owner.name}'s, the caller is {other.name}.",
                evidence=(
                    shown(
                        f"Signed as {owner.name}, it is answered as {other.name}",
                        without_token(exchange, forged),
                    ),
                    shown(f"What {other.name} sees there", their_own),
                    shown(f"What {owner.name} sees there", own),
                ),
                operations=(baseline.operation.key,),
                confidence=Confidence.CERTAIN,
            )
    return None


def _forgeries(token: str, nonce: str) -> Iterator[tuple[str, str]]:
    yield "one bit of the signature changed", flipped(token)
    yield "a signature by an unknown key", signed_with_unknown_key(token, nonce.encode())
    yield "no signature", unsigned(token)
    yield "no signature, nor its dot", unsigned(token).rstrip(".")
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
        "by the algorithm `none`. Where all of these are refused, another identity's claims are "
        "put under the signature; they count when the answer then holds that identity's data."
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
