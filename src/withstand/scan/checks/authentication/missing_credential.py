"""An operation that needs a credential serves those who have none."""

import re
from functools import partial

from withstand.client.exchange import Request, Response
from withstand.scan.access.granted import Access, attempt
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
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, not_found, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.everywhere import most_others, serves_alike
from withstand.scan.subject import Baseline, Subject

_SHORT_BYTES = 200
_LIFE = re.compile(
    r"_?(ping|health|healthz|health[-_]?check|status|version|ready|readyz|readiness|live|livez"
    r"|liveness|alive|heartbeat|up)(\.\w{1,5})?"
)


def applies(subject: Subject) -> Skipped | None:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if subject.policy.is_public(wanted):
        return not_applicable("listed under public: anybody may call it")
    if not wanted.requires_credential and subject.policy.allowed_roles(wanted) is None:
        return not_applicable("neither the document nor [access] says that it needs a credential")
    if subject.baseline is None or subject.baseline.identity is None:
        return Skipped(reason="no identity called it with success, so there is nothing to compare")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    assert subject.baseline is not None, "applies() saw to it"
    tried = yield from attempt(subject, subject.baseline, lambda bare: bare)
    if tried.access is Access.REFUSED:
        return PASSED
    if tried.access is Access.UNCLEAR or tried.exchange is None:
        return Inconclusive(reason=f"without a credential: {tried.reason}")
    evidence = [shown("Sent without any credential", tried.exchange)]
    if tried.authorised is not None:
        evidence.append(shown("For comparison, an authorised identity", tried.authorised))
    confidence = Confidence.FIRM if tried.telling else Confidence.TENTATIVE
    if (yield from _most_others_do(subject)):
        return Failed(
            detail="Most operations that the document declares as secured answer anybody: either "
            "no guard is in place, or the document declares a credential that is optional.",
            evidence=tuple(evidence),
            confidence=confidence,
            severity=Severity.MEDIUM if subject.baseline.operation.is_read else Severity.HIGH,
            whole_api=True,
        )
    if _is_sign_of_life(subject, tried.exchange.response):
        return Failed(
            detail=f"Called without a credential, {tried.reason}. It says no more than that the "
            "API runs, so the document probably declares too much.",
            evidence=tuple(evidence),
            confidence=confidence,
            severity=Severity.LOW,
        )
    return Failed(
        detail=f"Called without a credential, {tried.reason}.",
        evidence=tuple(evidence),
        confidence=confidence,
    )


def _is_sign_of_life(subject: Subject, response: Response | None) -> bool:
    """Whether a short answer under such a name tells load balancers that the API runs: documents
    with one `security` for everything declare it also there.
    """
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if response is None or not wanted.is_read or wanted.path_parameters:
        return False
    last = wanted.path.rstrip("/").rsplit("/", 1)[-1].lower()
    return len(response.body) <= _SHORT_BYTES and bool(_LIFE.fullmatch(last))


def _most_others_do(subject: Subject) -> Steps[bool]:
    """Whether most of the other secured reads answer anybody as well."""
    assert subject.operation is not None, "runs once for each operation"
    others = (
        baseline
        for baseline in subject.baselines.values()
        if baseline.operation.method == "GET"
        and baseline.operation.is_read
        and baseline.operation.requires_credential
        and baseline.identity is not None
        and baseline.operation.key != subject.operation.key
        and not subject.policy.is_public(baseline.operation)
    )
    return (yield from most_others(others, partial(_serves_anybody, subject)))


def _serves_anybody(subject: Subject, other: Baseline) -> Steps[bool]:
    bare = subject.stripped(other.exchange.request)
    return (yield from serves_alike(subject, other, bare))


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if request.path != "/invoices":
            return not_found()
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


CHECK = Check(
    name="missing-credential-accepted",
    title="An operation that needs a credential answers without one",
    family="authentication",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(306,),
        owasp=("API2:2023",),
        asvs=("6.3.4", "8.2.1"),
        wstg=("WSTG-ATHN-04",),
    ),
    explanation=(
        "The document says that this operation needs a credential, yet a caller without one gets "
        "the same answer as a logged-in user. Usually a route was added without the guard that "
        "its neighbours have. The check sends a request that works for an authorised identity "
        "once more without its credential, and compares what comes back; a status alone is not "
        "taken as proof. For deletions it uses an object of its own and looks whether it is gone. "
        "Where most secured operations answer anybody, that is one finding for all of them: many "
        "frameworks write an optional credential into the document as a required one."
    ),
    remedy=(
        "Refuse with 401 before anything else happens, best by a guard that covers all routes and "
        "from which single ones are excepted by name. If the operation is meant for everybody, "
        "remove `security` from it in the document, or list it under `public` in [access]."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/invoices": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
