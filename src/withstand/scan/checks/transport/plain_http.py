"""The API is served over plain HTTP beside HTTPS."""

from withstand.client.exchange import Exchange, Failure, Request, Response
from withstand.client.identity import Credential
from withstand.scan.answers.shape import same_shape
from withstand.scan.answers.similarity import normalised, same_content
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.subject import Baseline, Subject

_HOW_TO_TEST = (
    "to test it, set base_url to the API's https:// address and plain_url to its http:// address "
    "under [target]"
)


def applies(subject: Subject) -> Skipped | None:
    if subject.plain_target is None:
        if subject.target.scheme == "http" and subject.target.is_loopback:
            return Skipped(reason=f"on this machine the target may be plain HTTP; {_HOW_TO_TEST}")
        return Skipped(reason=f"only one address of the API is known; {_HOW_TO_TEST}")
    if _baselines(subject):
        return None
    return Skipped(reason="no GET operation succeeded, so there is nothing to ask for")


def run(subject: Subject) -> Steps[Outcome]:
    plain = subject.plain_target
    assert plain is not None, "applies() saw to it"
    last: Outcome = Inconclusive(reason="nothing could be asked for over plain HTTP")
    for baseline in _baselines(subject):
        request = _request(subject, baseline)
        exchange = yield from send(request, to=plain, fresh=True, noise_is_answer=True)
        last = yield from _judge(subject, baseline, request, exchange)
        if isinstance(last, Failed):
            return last
    return last


def _judge(
    subject: Subject, baseline: Baseline, request: Request, exchange: Exchange
) -> Steps[Outcome]:
    plain = subject.plain_target
    assert plain is not None, "applies() saw to it"
    if isinstance(exchange.outcome, Failure):
        return Passed(note=f"nothing is served at {plain.base_url} ({exchange.outcome.kind})")
    response = exchange.outcome
    location = response.header("location") or ""
    if 300 <= response.status < 400:
        if location.startswith("https://"):
            return Passed(note=f"it redirects to HTTPS with {response.status}")
        return Inconclusive(reason=f"it redirects to {location or 'nowhere'}, which is not HTTPS")
    if response.status == 426 or response.status in {429, 502, 503, 504}:
        return Passed(note=f"it answered {response.status}")
    encrypted = yield from send(request)
    if encrypted.response is None:
        return Inconclusive(reason=f"over HTTPS it answered {encrypted.outcome}")
    if not _same(response, encrypted.response):
        return Passed(note=f"it answered {response.status}, and not as over HTTPS")
    if response.succeeded:
        confidence, what = Confidence.FIRM, "served"
    elif response.status in {401, 403}:
        # The API itself asks for a credential there: a client would send it unencrypted.
        confidence, what = Confidence.TENTATIVE, "asked for a credential"
    else:
        return Inconclusive(reason=f"over plain HTTP and over HTTPS it answered {response.status}")
    return Failed(
        detail=f"{plain.base_url} {'is served' if what == 'served' else 'asks for a credential'} "
        "over plain HTTP, as over HTTPS.",
        evidence=(
            shown("Over plain HTTP", exchange),
            shown("The same over HTTPS", encrypted),
        ),
        operations=(baseline.operation.key,),
        confidence=confidence,
    )


def _same(one: Response, other: Response) -> bool:
    return one.status == other.status and (
        same_content(one, other) or same_shape(one, other) or normalised(one) == normalised(other)
    )


def _request(subject: Subject, baseline: Baseline) -> Request:
    """The baseline's request. A real credential goes unencrypted only to this machine."""
    bare = subject.stripped(baseline.exchange.request)
    owner = subject.identity(baseline.identity) if baseline.identity is not None else None
    if owner is None or owner.credential is None:
        return bare
    if subject.plain_target is not None and subject.plain_target.is_loopback:
        return owner.authorize(bare)
    if owner.credential.token is not None:
        return owner.credential.with_token(subject.nonce()).apply(bare)
    names = (name for name, _ in owner.credential.headers)
    return Credential(headers=tuple((name, subject.nonce()) for name in names)).apply(bare)


def _baselines(subject: Subject) -> tuple[Baseline, ...]:
    """A public GET operation and the canary: either may be served where the other is not."""
    reads = [
        b for b in subject.baselines.values() if b.operation.method == "GET" and b.operation.is_read
    ]
    public = next((b for b in reads if b.identity is None), None)
    secured = subject.canary or next((b for b in reads if b.identity is not None), None)
    return tuple(b for b in (secured, public) if b is not None)


def vulnerable() -> Server:
    return _api


def safe() -> Server:
    return _api


def redirecting() -> Server:
    def server(request: Request) -> Response:
        location = f"https://api.example.com{request.path}"
        return Response(status=308, headers=(("Location", location),))

    return server


def _api(request: Request) -> Response:
    if caller(request) is None:
        return UNAUTHENTICATED
    return answer(200, {"balance": 1200})


CHECK = Check(
    name="plain-http-accepted",
    title="The API is served over plain HTTP",
    family="transport",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(319,), owasp=("API8:2023",), asvs=("12.2.1", "4.1.2"), wstg=("WSTG-CRYP-03",)
    ),
    explanation=(
        "The API answers over unencrypted HTTP as it does over HTTPS. A client with a wrong "
        "address then works, and everybody on the way can read its credential and its data. The "
        "check asks for the same resource at the plain address. A redirect to HTTPS passes, and so "
        "does an address where nobody listens. Real credentials are sent unencrypted only to this "
        "machine; elsewhere an invented one is."
    ),
    remedy=(
        "Close the plain port for APIs, or answer there with nothing but a redirect to HTTPS, "
        "before anything of the request is looked at. Send Strict-Transport-Security over HTTPS. "
        "Revoke credentials that arrive unencrypted: they must be taken for lost."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/account": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        plain_url="http://127.0.0.1:8080",
        plain_vulnerable=vulnerable,
        plain_safe=redirecting,
    ),
)
