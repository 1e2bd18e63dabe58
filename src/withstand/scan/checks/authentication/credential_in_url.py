"""A credential is accepted in the address, where logs and histories keep it."""

from urllib.parse import quote

from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential
from withstand.openapi.operation import Operation
from withstand.scan.access.granted import Access, Alter, Attempt, attempt, owner_of
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
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation, query
from withstand.scan.finding import Evidence, Severity
from withstand.scan.subject import Baseline, Subject

_NAMES = (
    "access_token", "token", "api_key", "apikey", "auth_token", "auth", "jwt", "key", "bearer",
    "session", "sessionid", "session_id", "sid",
)  # fmt: skip
_MOST_OPERATIONS = 40
_STRICT = frozenset({400, 422})  # who refuses a parameter that nobody declared


def applies(subject: Subject) -> Skipped | None:
    if not guarded_reads(subject):
        return Skipped(reason="no GET operation that needs a credential succeeded")
    if not _reads(subject):
        return not_applicable("the credentials hold no token, or are meant to be in the address")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    accepted: list[str] = []
    names: list[str] = []
    evidence: list[Evidence] = []
    unclear: str | None = None
    tested = 0
    strict = False
    for baseline, credential in _reads(subject)[:_MOST_OPERATIONS]:
        wanted = _undeclared(subject, baseline.operation, credential)
        tried = yield from attempt(subject, baseline, _put(wanted, credential.token or ""))
        if tried.access is Access.UNCLEAR:
            unclear = unclear or f"{baseline.operation.key}: {tried.reason}"
            continue
        tested += 1
        if tried.access is Access.REFUSED:
            if strict or not _was_strict(tried):
                continue
            strict = True  # refuses parameters that nobody declared: one by one, here alone
        found = yield from _which(subject, baseline, credential, names or wanted)
        if found is None:
            continue
        name, shows = found
        control = yield from attempt(subject, baseline, _put((name,), subject.nonce()))
        if control.access is not Access.REFUSED or shows.exchange is None:
            unclear = unclear or f"{baseline.operation.key} accepts made-up credentials too"
            continue
        accepted.append(baseline.operation.key)
        if not names:
            names.append(name)
            evidence.append(shown(f"The token in the address, as {name}", shows.exchange))
            if control.exchange is not None:
                evidence.append(shown("A made-up one is refused there", control.exchange))
    if accepted:
        return Failed(
            detail=f"The token is accepted in the address as well (?{names[0]}=…), though the "
            "document does not say so.",
            evidence=tuple(evidence),
            operations=tuple(accepted),
        )
    return PASSED if tested else Inconclusive(reason=unclear or "no operation could be tried")


def _reads(subject: Subject) -> tuple[tuple[Baseline, Credential], ...]:
    """Guarded reads with the token that they were sent with, unless that is in the address."""
    found = []
    for baseline in guarded_reads(subject):
        owner = owner_of(subject, baseline)
        credential = owner.credential if owner is not None else None
        if credential is None or not credential.token:
            continue
        nothing = Request(method="GET", path="/")
        if credential.apply(nothing).path == nothing.path:
            found.append((baseline, credential))
    return tuple(found)


def _undeclared(subject: Subject, wanted: Operation, credential: Credential) -> tuple[str, ...]:
    """Names under which a token may be sent, the one of its own header first, less the declared."""
    own = [
        name for name, _ in credential.headers if name.lower() not in {"authorization", "cookie"}
    ]
    declared = {p.name.lower() for p in wanted.parameters if p.location == "query"} | {
        str(scheme.get("name", "")).lower()
        for scheme in subject.api.security_schemes.values()
        if scheme.get("in") == "query"
    }
    names = dict.fromkeys((*own, *_NAMES, *(["authorization"] if not own else [])))
    return tuple(name for name in names if name.lower() not in declared)


def _which(
    subject: Subject, baseline: Baseline, credential: Credential, names: list[str] | tuple[str, ...]
) -> Steps[tuple[str, Attempt] | None]:
    for name in names:
        tried = yield from attempt(subject, baseline, _put((name,), credential.token or ""))
        if tried.access is Access.GRANTED:
            return name, tried
    return None


def _was_strict(tried: Attempt) -> bool:
    return tried.exchange is not None and tried.exchange.status in _STRICT


def _put(names: tuple[str, ...], value: str) -> Alter:
    """Adds the value to the query under each of the names."""
    added = "&".join(f"{quote(name)}={quote(value, safe='')}" for name in names)

    def alter(request: Request) -> Request:
        glue = "&" if "?" in request.path else "?"
        return Request(
            method=request.method,
            path=f"{request.path}{glue}{added}",
            headers=request.headers,
            body=request.body,
        )

    return alter


def _server(*, looks_in_address: bool) -> Server:
    def server(request: Request) -> Response:
        if request.operation_path != "/invoices":
            return answer(404, {"error": "there is no such thing"})
        known = caller(request)
        if looks_in_address and known is None:
            bearer = f"Bearer {query(request, 'access_token')}"
            known = caller(request.with_header("Authorization", bearer))
        if known is None:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(looks_in_address=True)


def safe() -> Server:
    return _server(looks_in_address=False)


CHECK = Check(
    name="credential-accepted-in-url",
    title="Credentials are accepted in the address",
    family="authentication",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(598,),
        owasp=("API2:2023",),
        asvs=("14.2.1",),
        wstg=("WSTG-SESS-04",),
        rfc=("RFC 6750, 5.3",),
    ),
    explanation=(
        "What stands in an address is written to access logs, proxies, histories, bookmarks and "
        "Referer headers, and is read there by people who may not use the API. The check sends the "
        "token of a working request in the query instead, under the names that frameworks look "
        "for, and compares what comes back with what the authorised identity gets. A made-up "
        "token in the same place is the control. Where the document declares the credential in "
        "the query, that is the design and not judged here."
    ),
    remedy=(
        "Take credentials from the Authorization header or a cookie only, and switch the other "
        "places off in the library. For links that must work by themselves, such as downloads, "
        "give a signed address that is good for one object and some minutes."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/invoices": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
