"""A list shows one user the private objects of another."""

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.identifiers import listed_ids
from withstand.openapi.operation import Operation, Parameter
from withstand.openapi.resources import lister_of
from withstand.openapi.spoken import name_of_id, only_reads, picker_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, listed, read_back
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
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    lister = subject.operation
    assert lister is not None, "runs once for each operation"
    item = _item_of(subject, lister)
    if not only_reads(lister) or item is None:
        return not_applicable("it lists nothing that has an operation of its own")
    if subject.policy.is_public(lister):
        return not_applicable("listed under public: anybody may call it")
    if lister.path_parameters:
        return not_applicable("what is in one object is for object-readable-by-other-user to judge")
    private = subject.policy.is_private(lister) or subject.policy.is_private(item)
    if not private and not is_guarded(subject, lister):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "lists show other users' objects")
    if not_for_these(subject, lister):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    producer = subject.api.operation(f"POST {lister.path}")
    if producer is not None and producer == sign_up_operation(subject.api, subject.builder):
        return not_applicable("it lists users, whose profiles are usually meant to be seen")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    lister = subject.operation
    assert lister is not None, "runs once for each operation"
    item = _item_of(subject, lister)
    assert item is not None, "applies() saw to it"
    owner, stranger = yield from opponents(subject, item)
    made = yield from create(subject, item, by=owner)
    if not isinstance(made, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    theirs = yield from listed(subject, item, made, stranger)
    mark = _seen(subject, theirs, made, item)
    if theirs is None or theirs.response is None:
        return Inconclusive(reason="the list could not be asked for")
    if mark is None:
        return (yield from _absent(subject, item, made, owner))
    anybody = yield from send(subject.stripped(theirs.request))
    if _seen(subject, anybody, made, item) is not None:
        return Passed(note="anybody may see the list, also without a credential")
    direct = yield from read_back(subject, item, made, stranger)
    refused = direct is not None and direct.response is not None
    refused = (
        refused and direct is not None and subject.refused(direct.response or Response(status=0))
    )
    private = subject.policy.is_private(lister) or subject.policy.is_private(item)
    if not private and not refused:
        return Passed(
            note=f"{stranger.name} may read the objects of {owner.name} by themselves too, so they "
            "seem to be shared: if they are private, list the path under private"
        )
    own = yield from read_back(subject, item, made, owner)
    if not private and (own is None or not own.succeeded):
        return Inconclusive(reason=f"{owner.name} cannot read the object alone either")
    evidence = [shown(f"{stranger.name} lists, and sees what {owner.name} created", theirs, mark)]
    if direct is not None and refused:
        evidence.append(shown(f"By itself the object is refused to {stranger.name}", direct))
    evidence.append(shown("Without a credential the list does not show it", anybody))
    return Failed(
        detail=f"The list of {stranger.name} shows what {owner.name} created"
        + (", which is refused when asked for by itself." if refused else "."),
        evidence=tuple(evidence),
    )


def _absent(subject: Subject, item: Operation, made: Made, owner: Identity) -> Steps[Outcome]:
    """Not in the stranger's list: that says something where it is in the owner's."""
    own = yield from listed(subject, item, made, owner)
    if own is None or own.response is None or not own.succeeded:
        return Inconclusive(reason=f"{owner.name} cannot list such objects")
    if _seen(subject, own, made, item) is None:
        return Inconclusive(
            reason=f"the list does not show {owner.name} the new object, so it "
            "could not be recognised in another's list either"
        )
    return PASSED


def _seen(subject: Subject, listing: Exchange | None, made: Made, item: Operation) -> str | None:
    """What in a list is the object: a text of it, else its id."""
    response = listing.response if listing is not None else None
    if response is None or not response.succeeded:
        return None
    name = name_of_id(item, subject.api.resolve) or "id"
    identifier = str(made.identifier)
    known = identifier in listed_ids(response.json(), name)
    return shows(listing, made.canaries) or (identifier if known else None)


def _item_of(subject: Subject, lister: Operation) -> Operation | None:
    """The operation that reads, changes or deletes one of what is listed."""
    on_one = (
        op
        for op in subject.api.operations
        if op.path.rstrip("/").endswith("}") or picker_of(op, subject.api.resolve) is not None
    )
    items = [op for op in on_one if lister_of(subject.api, op) is lister]
    order = {"GET": 0, "PUT": 1, "PATCH": 1, "DELETE": 2}
    if items:
        return min(items, key=lambda op: (not op.path_parameters, order.get(op.method, 3)))
    if lister.path_parameters or not subject.policy.is_private(lister):
        return None
    if subject.api.operation(f"POST {lister.path}") is None:
        return None
    # Nothing works on one of them, but the user says whose they are: a place for what is created.
    name = Parameter(name="id", location="path", required=True, schema={})
    return Operation(method="PUT", path=f"{lister.path}/{{id}}", parameters=(name,))


def _server(own_only: bool) -> Server:
    entries: list[tuple[str, str]] = []

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            entries.append((name, str(sent(request).get("text"))))
            return answer(201, {"id": str(len(entries) - 1)})
        if request.path == "/entries":
            mine = [text for owner, text in entries if owner == name or not own_only]
            return answer(200, {"entries": [{"text": text} for text in mine]})
        number = last_segment(request)
        if not number.isdigit() or int(number) >= len(entries) or entries[int(number)][0] != name:
            return not_found()
        return answer(200, {"id": number, "text": entries[int(number)][1]})

    return server


def vulnerable() -> Server:
    return _server(own_only=False)


def safe() -> Server:
    return _server(own_only=True)


CHECK = Check(
    name="list-shows-other-users-objects",
    title="A list shows a user the private objects of others",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(639, 200), owasp=("API1:2023",), asvs=("8.4.1",), wstg=("WSTG-APIT-02",)
    ),
    explanation=(
        "Asked for by itself, an object is refused to other users, and yet the list of all such "
        "objects shows it to them: the query behind the list lacks the condition that the single "
        "read has. The check lets one user create an object with a random text inside, and looks "
        "for that text in the list of another user of the same role. It is reported where the API "
        "refuses that user the object itself, or where the configuration says that such objects "
        "are private; what anybody may see is not."
    ),
    remedy=(
        "Filter lists by the caller on the server, in the query itself, and let one function make "
        "that query for the list, for searches and exports and for the single read."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/entries": {
                "get": operation(),
                "post": operation(requestBody=body(text={"type": "string"})),
            },
            "/entries/{id}": {"get": operation(parameters=(("path", "id"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
