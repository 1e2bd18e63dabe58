"""Objects of another user are reached by an id in the query or in the body."""

from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.resources import reader_of
from withstand.openapi.spoken import only_reads
from withstand.scan.access.accounts import looks_like_login, sign_up_operation
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.ownership import (
    no_pair,
    not_for_these,
    pair,
)
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
    not_applicable,
)
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    not_found,
    operation,
    query,
    sent,
)
from withstand.scan.finding import Severity
from withstand.scan.probes.inputs import named
from withstand.scan.probes.reading_by_reference import read_by
from withstand.scan.probes.references import names_person, pointing_slots
from withstand.scan.probes.writing_by_reference import write_by, write_of_person
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if not any(True for _ in pointing_slots(subject, wanted)):
        return not_applicable("no input in its query or body names a thing or a person")
    if subject.policy.is_public(wanted):
        return not_applicable("listed under public: anybody may call it")
    is_sign_up = wanted == sign_up_operation(subject.api, subject.builder)
    if is_sign_up or looks_like_login(wanted, subject.builder):
        return not_applicable("it says who the caller is, or will be")
    read = reader_of(subject.api, wanted) or wanted
    guarded = is_guarded(subject, wanted) or is_guarded(subject, read)
    if not guarded and not subject.policy.is_private(wanted):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "one user reaches another's objects by their ids")
    if not_for_these(subject, wanted):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    both, wanted = pair(subject), subject.operation
    assert both is not None, "applies() saw to it"
    assert wanted is not None, "runs once for each operation"
    owner, stranger = both
    unclear: str | None = None
    tried = 0
    for slot in pointing_slots(subject, wanted):
        outcome: Outcome
        try:
            outcome = yield from _tried(subject, wanted, slot, owner, stranger)
        except Unbuildable as problem:
            outcome = Inconclusive(reason=problem.reason)
        if isinstance(outcome, Failed):
            return outcome
        tried += not isinstance(outcome, Skipped)
        if isinstance(outcome, Inconclusive):
            unclear = unclear or f"{named(slot)}: {outcome.reason}"
    if unclear is None and tried and subject.baseline is None and not only_reads(wanted):
        unclear = "it never succeeded for anybody, so a refusal says nothing"
    if unclear is not None:
        return Inconclusive(reason=unclear)
    return PASSED if tried else Passed(note="no value of the owner's own is known for its inputs")


def _tried(
    subject: Subject, wanted: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[Outcome]:
    reads = only_reads(wanted)
    if reads or (wanted.method == "GET" and not wanted.removes):
        outcome = yield from read_by(subject, wanted, slot, owner, stranger)
        if reads or isinstance(outcome, Failed):
            return outcome  # `GET /ticket_edit` may show a form, and may change as well
    if names_person(wanted, slot):
        return (yield from write_of_person(subject, wanted, slot, stranger))
    return (yield from write_by(subject, wanted, slot, owner, stranger))


def _server(owners_only: bool) -> Server:
    accounts: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST" and request.path == "/accounts":
            number = f"AC-{1001 + len(accounts)}"
            accounts[number] = (name, str(sent(request).get("label")))
            return answer(201, {"account_number": number})
        number = query(request, "account_number")
        owner, label = accounts.get(number, ("", ""))
        if request.operation_path != "/statement":
            return not_found()
        if not owner or (owners_only and owner != name):
            return answer(200, {"error": "no such account"})
        return answer(200, {"account": {"label": label, "cents": 271828}})

    return server


def vulnerable() -> Server:
    return _server(owners_only=False)


def safe() -> Server:
    return _server(owners_only=True)


CHECK = Check(
    name="object-of-other-user-by-parameter",
    title="An id in the query or body reaches another user's objects",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(639,), owasp=("API1:2023",), asvs=("8.2.2",), wstg=("WSTG-APIT-02", "WSTG-ATHZ-04")
    ),
    explanation=(
        "The API takes from the query or from the body whose data is meant, an account number or "
        "a user id, and believes it. A bare id means what the operation is about: an invoice in "
        "`GET /getInvoice?id=7`, an order in `POST /rpc/deleteOrder`, and a file has a name in "
        "`GET /download?file=`. The check takes such values only from what their owner was told, "
        "sends them as another user of the same role, and looks whether the owner's data come "
        "back, or whether the owner reads a change. What that user sees without the id too is "
        "shared and passes; inputs that are meant to name somebody else, such as a recipient, are "
        "left alone."
    ),
    remedy=(
        "Take who is calling from the credential only. Where an id has to be sent, look it up "
        "together with the caller, as for an id in the path."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/accounts": {"post": operation(requestBody=body(label={"type": "string"}))},
            "/statement": {"get": operation(parameters=(("query", "account_number"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
