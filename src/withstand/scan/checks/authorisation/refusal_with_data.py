"""A refusal holds the data that it refuses."""

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.access.audience import in_list_of
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located, read_back, without_echo
from withstand.scan.access.ownership import no_pair, not_for_these, opponents, pair, shows
from withstand.scan.check import (
    PASSED,
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
    attack,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Severity
from withstand.scan.made import MARK
from withstand.scan.seen import operation_of
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if not wanted.path_parameters or wanted.method not in {"GET", "PUT", "PATCH", "DELETE", "POST"}:
        return not_applicable("it works on no single object")
    if subject.policy.is_public(wanted):
        return not_applicable("listed under public: anybody may call it")
    if not is_guarded(subject, wanted) and not subject.policy.is_private(wanted):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "refusals hold other users' data")
    if not_for_these(subject, wanted):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    producer = producer_of(subject.api, wanted)
    if producer is None:
        return not_applicable("no operation creates such an object, so nobody's own is known")
    if producer == sign_up_operation(subject.api, subject.builder):
        return not_applicable("its objects are users who signed up")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    owner, stranger = yield from opponents(subject, wanted)
    known = _refusals_so_far(subject, wanted, stranger)
    if known and not any(_foreign_canary(exchange) for exchange in known):
        return PASSED
    made = yield from create(subject, wanted, by=owner)
    if not isinstance(made, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    if not made.canaries:
        return Inconclusive(reason="the object holds no text by which to recognise it")
    try:
        request = located(subject, wanted, made, stranger).request
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    tried = yield from send(stranger.authorize(request))
    if tried.response is None or tried.response.status >= 500:
        return Inconclusive(reason=f"it answered {tried.status} instead of refusing")
    # What a read shows with a 2xx, object-readable-by-other-user judges, whatever it says.
    soft = tried.succeeded and subject.refused(tried.response) and wanted.method != "GET"
    if tried.response.status < 400 and not soft:
        return Passed(note=f"it does not refuse {stranger.name}: other checks judge that")
    marks = without_echo(request, made.canaries)
    mark = shows(tried, marks)
    if mark is None:
        return PASSED
    return (yield from _judge(subject, made, owner, stranger, tried, marks, mark))


def _refusals_so_far(
    subject: Subject, wanted: Operation, stranger: Identity
) -> tuple[Exchange, ...]:
    """What other checks were refused as the stranger, of what somebody else has read or changed.

    Not where the path holds the mark of what it names: then the refusal could show no other.
    """
    refused = [
        exchange
        for exchange in subject.observed
        if exchange.identity == stranger.name
        and exchange.request.method == wanted.method
        and exchange.response is not None
        and 400 <= exchange.response.status < 500
        and not MARK.search(exchange.request.path)
    ]
    paths = {
        exchange.request.operation_path
        for exchange in subject.observed
        if exchange.succeeded and exchange.identity not in {stranger.name, None}
    }
    return tuple(
        exchange
        for exchange in refused
        if exchange.request.operation_path in paths and operation_of(subject, exchange) == wanted
    )


def _foreign_canary(exchange: Exchange) -> bool:
    """Whether an answer holds a canary that its request did not carry."""
    text = exchange.response.text if exchange.response is not None else ""
    return bool(without_echo(exchange.request, tuple(MARK.findall(text))))


def _judge(
    subject: Subject,
    made: Made,
    owner: Identity,
    stranger: Identity,
    tried: Exchange,
    marks: tuple[str, ...],
    mark: str,
) -> Steps[Outcome]:
    """A refusal that shows the object leaks it, unless the stranger may see it anyway."""
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    read = yield from read_back(subject, wanted, made, stranger)
    seen = read is not None and read.succeeded and shows(read, marks) is not None
    if seen or (yield from in_list_of(subject, wanted, made, stranger)):
        return Passed(note=f"{stranger.name} may read such objects, so the refusal gives nothing")
    anybody = yield from send(subject.stripped(tried.request))
    if anybody.succeeded and shows(anybody, marks) is not None:
        return Passed(note="anybody may read such objects, also without a credential")
    return Failed(
        detail=f"It refuses {stranger.name} with {tried.status}, and the refusal holds what "
        f"{owner.name} wrote.",
        evidence=(
            shown(f"{owner.name} creates an object", made.exchange),
            attack(f"The refusal to {stranger.name} shows its text", tried, mark),
        ),
    )


def _server(leaks: bool) -> Server:
    memos: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = str(len(memos) + 1)
            memos[number] = (name, str(sent(request).get("text")))
            return answer(201, {"id": number})
        owner, text = memos.get(last_segment(request), ("", ""))
        if not owner:
            return not_found()
        if owner != name:
            reason = {"error": f"memo {last_segment(request)} is not yours"}
            return answer(403, {**reason, "memo": {"text": text}} if leaks else reason)
        return answer(200, {"id": last_segment(request), "text": text})

    return server


def vulnerable() -> Server:
    return _server(leaks=True)


def safe() -> Server:
    return _server(leaks=False)


CHECK = Check(
    name="refusal-leaks-data",
    title="A refusal contains the data that it refuses",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(209, 200), owasp=("API1:2023", "API3:2023"), asvs=("16.5.1",), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "The API answers 403 or 404, as it should, and yet the body of that answer holds the "
        "object: in an error message that quotes it, in a debugging field, or because the body "
        "was written before the check. Clients hide it, an attacker reads it. The check lets one "
        "user create an object with a random text inside, asks for it as another user of the same "
        "role, and looks for that text in the refusal."
    ),
    remedy=(
        "Decide before the object is loaded, or build the refusal from nothing but its reason and "
        "the id that the caller sent. Let exceptions carry ids, not objects."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/memos": {"post": operation(requestBody=body(text={"type": "string"}))},
            "/memos/{id}": {"get": operation(parameters=(("path", "id"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
