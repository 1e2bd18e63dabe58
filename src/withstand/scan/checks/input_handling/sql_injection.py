"""Text from a request becomes part of the text of a database query."""

from functools import partial
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.soft_errors import says_no
from withstand.openapi.naming import words
from withstand.openapi.request_builder import Slot
from withstand.scan.answers.shape import leaves, tells
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    FailedMany,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
)
from withstand.scan.examples import answer, operation, query
from withstand.scan.finding import Severity
from withstand.scan.probes.inputs import (
    changing_places,
    choice_slots,
    holds_one_form,
    inserted,
    is_invalid,
    is_number,
    judged,
    number_slots,
    probe,
    same_answer,
    scalar_slots,
    text_slots,
    usual_value,
    without_nonces,
)
from withstand.scan.probes.sql.conditions import (
    by_alternative,
    by_condition,
    by_order,
    fitting,
    only_reads,
)
from withstand.scan.probes.sql.login import by_login
from withstand.scan.probes.sql.parity import by_parity
from withstand.scan.probes.sql.reaction import reacts
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject

_ORDER_WORDS: Final = frozenset({"sort", "order", "orderby", "sortby", "column", "direction"})

_QUOTES: Final = "'\""


def applies(subject: Subject) -> Skipped | None:
    return None if _slots(subject) else not_applicable("it takes no text and no number")


def run(subject: Subject) -> Steps[Outcome]:
    slots = _slots(subject)
    clean: frozenset[Slot] = frozenset()
    if subject.baseline is not None and _was_created(subject.baseline.exchange):
        clean = yield from cleared(
            subject,
            [slot for slot in slots if slot not in choice_slots(subject)],
            lambda slot: (inserted(usual_value(subject, slot), _QUOTES),),
            lambda exchange: reacts(exchange) or not _was_created(exchange),
        )
    outcome = yield from judged(subject, slots, partial(_judge, subject), clean)
    if not isinstance(outcome, FailedMany):
        bypass = yield from by_login(subject)
        if bypass is not None:
            return bypass
    return outcome


def _slots(subject: Subject) -> tuple[Slot, ...]:
    order = (slot for slot in scalar_slots(subject) if _is_order(slot))
    typed = (*text_slots(subject), *number_slots(subject), *choice_slots(subject))
    return tuple(dict.fromkeys((*typed, *order)))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    assert subject.operation is not None, "runs once for each operation"
    if _is_order(slot) and subject.operation.is_read:
        failure = yield from by_order(subject, slot, _order_value(subject, slot))
        if failure is not None:
            return failure
        if not slot.is_text:
            return False
    value = usual_value(subject, slot)
    quoted = inserted(value, _QUOTES)
    reaction = yield from probe(subject, slot, quoted)
    if reaction is None or reaction.response is None:
        return None
    deletes = subject.operation.removes  # and a condition that holds would delete
    if reacts(reaction):
        failure = yield from by_parity(subject, slot)
        if failure is not None or deletes:
            return failure or False
        # Beside a number there is no pair of quotes: what comes after it can be a condition only.
        return (yield from by_condition(subject, slot, fitting(slot, value))) or False
    if deletes or (is_invalid(reaction) and (yield from _refuses_more(subject, slot, value))):
        return False
    baseline = subject.baseline
    assert baseline is not None, "only operations with a baseline are judged"
    if _was_created(baseline.exchange) and _was_created(reaction):
        return False  # a query that breaks creates nothing, and each further try one thing more
    before = str(baseline.built.values.get(slot, ""))
    if not only_reads(baseline.operation) or not same_answer(
        baseline.exchange, before, reaction, quoted, changing_places(subject)
    ):
        return (yield from by_condition(subject, slot, fitting(slot, value))) or False
    usual = baseline.exchange.response
    if usual is not None and usual.succeeded and tells(without_nonces(baseline.exchange, usual)):
        return False  # there is data, and what follows the value makes no difference to it
    return (yield from by_alternative(subject, slot)) or False


def _refuses_more(subject: Subject, slot: Slot, value: str) -> Steps[bool]:
    """Whether what refuses a quote refuses also what a database would take: then it is no error of
    a database that is called invalid input, and so would be every payload that follows.
    """
    if holds_one_form(slot):
        return True
    harmless = "-(SELECT 0)" if is_number(slot) else "''"
    answer_to_it = yield from probe(subject, slot, inserted(value, harmless))
    return answer_to_it is None or is_invalid(answer_to_it)


def _was_created(exchange: Exchange) -> bool:
    response = exchange.response
    return response is not None and response.status == 201 and not says_no(response)


def _is_order(slot: Slot) -> bool:
    return slot.location == "query" and bool(_ORDER_WORDS & {*words(slot.name)})


def _order_value(subject: Subject, slot: Slot) -> str:
    """What the document gives to sort by, else a property of what is listed."""
    assert subject.baseline is not None, "only operations with a baseline have inputs to try"
    given = subject.baseline.built.values.get(slot)
    for word in ("example", "default", "enum"):
        value = slot.schema.get(word)
        given = given or (value[0] if isinstance(value, list) and value else value)
    response = subject.baseline.exchange.response
    listed = (key for key, _ in leaves(response.json() if response else None) if key)
    return str(given or next(listed, "id"))


_PRODUCTS = ("teapot", "kettle", "toaster")


def _select(text: str) -> list[str] | None:
    """SELECT name FROM products WHERE name = '…': what SQL makes of it; None: a syntax error."""
    pieces = text.replace("''", "\0").split("'")
    name = pieces[0].replace("\0", "'")
    if len(pieces) == 1:
        return [product for product in _PRODUCTS if product == name]
    if pieces[1:] == [" AND ", "1", "=", "1"]:
        return [product for product in _PRODUCTS if product == name]
    return [] if pieces[1:] == [" AND ", "1", "=", "2"] else None


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        rows = _select(query(request, "name"))
        return answer(500, {"error": "sorry"}) if rows is None else answer(200, {"found": rows})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        wanted = query(request, "name")
        return answer(200, {"found": [product for product in _PRODUCTS if product == wanted]})

    return server


CHECK = Check(
    name="sql-injection",
    title="Text from a request becomes part of a database query",
    family="input handling",
    severity=Severity.CRITICAL,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(cwe=(89,), owasp=("API8:2023",), asvs=("1.2.4",), wstg=("WSTG-INPV-05",)),
    explanation=(
        "The API pastes a value into the text of a query, so whoever sends the value can change "
        "the query: read other tables, log in as anybody, destroy data. The check sends one quote, "
        "which breaks such a query, and two, which SQL reads as one quoted quote; only when the "
        "first fails, the second does not, and a plain letter does not either, three times in a "
        "row, is it reported. Where errors are hidden, and for numbers and columns to sort by, it "
        "adds SQL that changes nothing and SQL that does and compares the answers; a login is also "
        "tried with a known name, a comment behind it and a wrong password. A single server error "
        "proves nothing here."
    ),
    remedy=(
        "Hand values to the database as parameters (`WHERE name = ?`), never by joining strings, "
        "also for values that come out of your own tables. For parts that cannot be parameters, "
        "such as column names, choose from a fixed list. Rejecting quotes is no cure: names have "
        "them."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={
            "/products": {
                "get": operation(secured=False, parameters=(("query", "name"),), example="teapot")
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
