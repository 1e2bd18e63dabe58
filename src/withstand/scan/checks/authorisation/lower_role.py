"""An operation for some roles serves the others too."""

from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.granted import (
    Access,
    Attempt,
    attempt,
    is_refused_as_gone,
    tells_nothing,
)
from withstand.scan.access.making import sacrifice, spare
from withstand.scan.access.objects import Made, located, read_back
from withstand.scan.answers.removal import how_gone
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
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    caller,
    last_segment,
    not_found,
    operation,
)
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.rights import rights_of
from withstand.scan.subject import Baseline, Subject


def applies(subject: Subject) -> Skipped | None:
    assert subject.operation is not None, "runs once for each operation"
    rights = rights_of(subject)
    if rights is None:
        if _sounds_restricted(subject.operation) and len({i.role for i in subject.identities}) > 1:
            return Skipped(
                reason="its name suggests that it is for administrators, and no roles are named "
                f'for it: add "{subject.operation.key}" = ["admin"] under [access], if that is so'
            )
        return not_applicable("no roles are named for it under [access]")
    if not rights.lower:
        return Skipped(
            reason=f"every configured identity has a role that may use it ({rights.said}): "
            "add one of another role under [identities]"
        )
    if rights.allowed is None:
        return Skipped(
            reason=f"no identity of a role that may use it ({rights.said}) is configured, "
            "so there is nothing to compare with: add one under [identities]"
        )
    return None


def run(subject: Subject) -> Steps[Outcome]:
    assert subject.operation is not None, "runs once for each operation"
    rights = rights_of(subject)
    assert rights is not None, "applies() saw to it"
    allowed = rights.allowed
    assert allowed is not None, "applies() saw to it"
    baseline = subject.baseline
    if baseline is None and subject.operation.method != "DELETE":
        baseline = yield from _own_baseline(subject, allowed)
    unclear: str | None = None
    for intruder in rights.lower:
        tried = yield from _as_intruder(subject, baseline, intruder, allowed)
        if tried.access is Access.UNCLEAR and not tried.nothing:
            unclear = unclear or f"as {intruder.name} ({intruder.role}): {tried.reason}"
        if tried.access is not Access.GRANTED or tried.exchange is None:
            continue
        nobody = None
        if baseline is not None:
            nobody = yield from attempt(subject, baseline, lambda bare: bare, by_shape=True)
        if nobody is not None and nobody.access is Access.GRANTED:
            return Inconclusive(
                reason="it answers without any credential: see missing-credential-accepted"
            )
        evidence = [shown(f"Sent as {intruder.name}, role {intruder.role}", tried.exchange)]
        if tried.authorised is not None:
            evidence.append(shown("What an identity that may use it sees", tried.authorised))
        refuses = nobody is not None and nobody.access is Access.REFUSED
        informative = tried.telling or (refuses and not tried.nothing)
        return Failed(
            detail=f"Only {rights.said} may use it, yet called by the role "
            f"{intruder.role} {tried.reason}.",
            evidence=tuple(evidence),
            confidence=Confidence.FIRM if informative else Confidence.TENTATIVE,
        )
    return Inconclusive(reason=unclear) if unclear else PASSED


def _own_baseline(subject: Subject, allowed: Identity) -> Steps[Baseline | None]:
    """A positive control with an object made for it, where the scan's groundwork had none."""
    assert subject.operation is not None, "runs once for each operation"
    made = yield from sacrifice(subject, subject.operation, by=allowed)
    if not isinstance(made, Made):
        return None
    try:
        built = located(subject, subject.operation, made, allowed)
    except Unbuildable:
        return None
    exchange = yield from send(allowed.authorize(built.request))
    if not exchange.succeeded:
        return None
    return Baseline(
        operation=subject.operation, identity=allowed.name, built=built, exchange=exchange
    )


def _as_intruder(
    subject: Subject, baseline: Baseline | None, intruder: Identity, allowed: Identity
) -> Steps[Attempt]:
    assert subject.operation is not None, "runs once for each operation"
    if subject.operation.removes:
        made = yield from sacrifice(subject, subject.operation, by=allowed)
        if isinstance(made, Made):
            return (yield from _delete(subject, made, intruder, allowed))
        reason = f"nothing of the scan's own to delete: {made}"
    elif baseline is not None:
        return (yield from attempt(subject, baseline, intruder.authorize, by_shape=True))
    else:
        reason = "it never succeeded for a role that may use it"
    return (yield from _with_nonsense(subject, intruder, allowed, reason))


def _delete(subject: Subject, made: Made, intruder: Identity, allowed: Identity) -> Steps[Attempt]:
    """The intruder deletes an object of ours; who may use the operation tells what became of it."""
    assert subject.operation is not None, "runs once for each operation"
    before = yield from read_back(subject, subject.operation, made, allowed)
    try:
        built = located(subject, subject.operation, made, allowed)
    except Unbuildable as problem:
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=problem.reason)
    exchange = yield from send(intruder.authorize(built.request))
    readable = before is not None and before.succeeded
    if readable:
        after = yield from read_back(subject, subject.operation, made, allowed)
    else:
        after = yield from send(allowed.authorize(built.request))
    if after is None:
        return Attempt(access=Access.UNCLEAR, exchange=exchange, reason="nobody can read it again")
    if not readable and (yield from tells_nothing(subject, exchange, after)):
        reason = "it answers alike whether or not there is anything to delete"
        return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
    seen = before.response if before is not None and readable else None
    gone = is_refused_as_gone(subject, after) if seen is None else how_gone(seen, after) is not None
    if gone and (readable or exchange.succeeded):
        return Attempt(
            access=Access.GRANTED,
            exchange=exchange,
            reason=f"it answered {exchange.status}, and the object is gone",
            authorised=after,
        )
    if not after.succeeded:
        reason = f"afterwards {allowed.name} got {after.status}"
        return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
    if readable:  # nothing happened to it
        spare(subject, subject.operation, made, by=allowed)
    return Attempt(access=Access.REFUSED, exchange=exchange, reason="the object is still there")


def _with_nonsense(
    subject: Subject, intruder: Identity, allowed: Identity, why: str
) -> Steps[Attempt]:
    """Without an object of our own an id that does not exist shows at least an early refusal."""
    assert subject.operation is not None, "runs once for each operation"
    places: dict[Slot, object] = {
        slot: _unused(slot, subject.nonce())
        for slot in subject.builder.slots(subject.operation)
        if slot.location == "path"
    }
    if not places:
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=why)
    try:
        built = subject.build(identity=allowed, replace=places)
    except Unbuildable as problem:
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=problem.reason)
    exchange = yield from send(intruder.authorize(built.request))
    control = yield from send(allowed.authorize(built.request))
    if exchange.status in {401, 403} and control.status not in {401, 403}:
        return Attempt(
            access=Access.REFUSED,
            exchange=exchange,
            reason=f"refused with {exchange.status} before anything was looked up",
        )
    reason = f"{why}; for an id that does not exist it answered {exchange.status}"
    return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)


def _unused(slot: Slot, nonce: str) -> object:
    """An id of the right form that no object has."""
    digits = nonce.removeprefix("ws")
    if slot.kinds == {"integer"}:
        return 2_000_000_000 + int(digits[:6], 16)
    if slot.schema.get("format") == "uuid":
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[:12]}"
    return nonce


def _sounds_restricted(wanted: Operation) -> bool:
    """A suggestion, never a reason for a finding."""
    parts = {part.lower() for part in (*wanted.path.split("/"), *wanted.tags)}
    return bool(parts & {"admin", "administration", "administrator", "management", "backoffice"})


_POLICY = {"access": {"GET /admin/reports": ("admin",), "DELETE /notes/{id}": ("admin",)}}
_PATHS = {
    "/me": {"get": operation()},
    "/admin/reports": {"get": operation()},
    "/notes": {"post": operation()},
    "/notes/{id}": {"delete": operation(parameters=(("path", "id"),))},
}


def _server(admins_only: bool) -> Server:
    notes: set[str] = set()
    numbers = iter(range(1, 1_000_000))

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            note = str(next(numbers))
            notes.add(note)
            return answer(201, {"id": note})
        if admins_only and name != "root":
            return answer(403, {"error": "for administrators"})
        if request.method == "GET":
            return answer(200, {"reports": [{"month": "May", "income": 1200}]})
        if last_segment(request) not in notes:
            return not_found()
        notes.remove(last_segment(request))
        return answer(200, {"deleted": last_segment(request)})

    return server


def vulnerable() -> Server:
    return _server(admins_only=False)


def safe() -> Server:
    return _server(admins_only=True)


CHECK = Check(
    name="operation-open-to-lower-role",
    title="An operation for other roles can be used by a lower role",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(285,), owasp=("API5:2023",), asvs=("8.2.1",), wstg=("WSTG-APIT-04",)
    ),
    explanation=(
        "The configuration says which roles may use this operation, or the document which OAuth "
        "scopes it wants, and the API lets somebody else do it. Often the button is hidden in the "
        "user interface while the route behind it only asks whether somebody is logged in. The "
        "check calls the operation as each role that must not, and compares with what an allowed "
        "role gets. A deletion is tried on an object or a user made for it, and an allowed role "
        "looks whether it is gone."
    ),
    remedy=(
        "Check the role on the server, for each operation, before anything is looked up or "
        "changed, and answer 403. Put the rule where a new route inherits it: on the router of all "
        "administrative operations, denying by default."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(paths=_PATHS, vulnerable=vulnerable, safe=safe, policy=_POLICY),
)
