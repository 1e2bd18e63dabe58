"""Text from a request becomes part of the text of a database query."""

import re
from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.request_builder import Slot
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
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
from withstand.scan.examples import answer, operation, query
from withstand.scan.finding import Confidence, Severity
from withstand.scan.inputs import (
    changing_places,
    inserted,
    named,
    number_slots,
    probe,
    same_answer,
    text_slots,
    usual_value,
)
from withstand.scan.shape import tells
from withstand.scan.subject import Subject

_ROUNDS: Final = 3
_DATABASE_ERROR: Final = re.compile(
    r"SQL syntax|SQLSTATE\[?\w|sqlite3?\.\w*Error|SQLITE_ERROR|psycopg2?\.|pg_query\(|PSQLException"
    r"|unrecognized token: |unterminated quoted string|syntax error at or near"
    r"|near \\?\"[^\"]{1,40}\\?\": syntax error|ORA-\d{5}|Unclosed quotation mark"
    r"|Incorrect syntax near|MySqlException|mysql_fetch|ODBC SQL|DB2 SQL error"
    r"|SequelizeDatabaseError"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """Two endings for one value: with the first the query means the same, with the second not."""

    same: str
    other: str


_AND: Final = (
    _Test(same="' AND '1'='1", other="' AND '1'='2"),
    _Test(same="%' AND '1%'='1", other="%' AND '1%'='2"),  # inside LIKE '%…%'
)
_OR: Final = (  # only for reads: a changing query with OR would change everything
    _Test(same="' OR '1'='2", other="' OR '1'='1"),
    _Test(same="%' OR '1%'='2", other="%' OR '1%'='1"),
)
_NUMERIC: Final = (_Test(same=" AND 1=1", other=" AND 1=2"),)


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject) and not number_slots(subject):
        return not_applicable("it takes no text and no number")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    found: list[Failed] = []
    slots = (*text_slots(subject), *number_slots(subject))
    tested = 0
    for slot in slots:
        failure = yield from _judge(subject, slot)
        tested += failure is not None
        if isinstance(failure, Failed):
            found.append(failure)
    if found:
        return FailedMany(failures=tuple(found))
    return PASSED if tested or not slots else Inconclusive(reason="no input could be tried")


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    """A failure, False when the input is clean, None when it could not be tried."""
    value = usual_value(subject, slot)
    quoted = inserted(value, "'")
    reaction = yield from probe(subject, slot, quoted)
    if reaction is None or reaction.response is None:
        return None
    if _reacts(reaction):
        failure = yield from _by_parity(subject, slot)
        if failure is not None or subject.operation is None or subject.operation.method == "DELETE":
            return failure or False  # a condition that holds would delete
        # Beside a number there is no pair of quotes: what comes after it can be a condition only.
        return (yield from _by_condition(subject, slot, _fitting(slot, value))) or False
    if reaction.status in {400, 415, 422}:
        return False  # refused as invalid, and so would be every payload that follows
    baseline = subject.baseline
    assert baseline is not None, "only operations with a baseline are judged"
    if baseline.operation.method == "DELETE":
        return False
    before = str(baseline.built.values.get(slot, ""))
    if not baseline.operation.is_read or not same_answer(
        baseline.exchange, before, reaction, quoted, changing_places(subject)
    ):
        return (yield from _by_condition(subject, slot, _fitting(slot, value))) or False
    usual = baseline.exchange.response
    if usual is not None and usual.succeeded and tells(usual):
        return False  # there is data, and what follows the value makes no difference to it
    return (yield from _by_alternative(subject, slot)) or False


def _fitting(slot: Slot, value: str) -> tuple[_Test, ...]:
    """The tests for a place: a number stands in a query without quotes, whatever its type says."""
    if slot.schema.get("type") in {"integer", "number"}:
        return _NUMERIC
    return (*_NUMERIC, *_AND) if value.isdecimal() else _AND


def _by_parity(subject: Subject, slot: Slot) -> Steps[Failed | None]:
    """One quote breaks the query, two are one quoted quote: nothing but SQL counts like that."""
    evidence = []
    for turn in range(_ROUNDS):
        letter = yield from probe(subject, slot, inserted(usual_value(subject, slot), "z"))
        one = yield from probe(subject, slot, inserted(usual_value(subject, slot), "'"))
        two = yield from probe(subject, slot, inserted(usual_value(subject, slot), "''"))
        if letter is None or one is None or two is None:
            return None
        if not _reacts(one) or _reacts(two) or two.status != letter.status:
            return None
        usual = subject.baseline.exchange.status if subject.baseline is not None else None
        if letter.status is None or (letter.status in {400, 415, 422} and letter.status != usual):
            return None  # then the pair of quotes may be refused before it meets the database
        if turn == 0:
            evidence = [
                shown("One quote: the query breaks", one, _error_text(one)),
                shown("Two quotes: it is whole again", two),
                shown("A letter in their place is harmless", letter),
            ]
    return Failed(
        detail=f"A quote in {named(slot)} breaks a database query and a second one mends it, "
        f"{_ROUNDS} times out of {_ROUNDS}.",
        evidence=tuple(evidence),
        parameter=named(slot),
        confidence=Confidence.CERTAIN,
    )


def _by_condition(subject: Subject, slot: Slot, tests: tuple[_Test, ...]) -> Steps[Failed | None]:
    """A condition put behind the value is obeyed: true leaves the answer, false changes it."""
    for test in tests:
        rounds = []
        for _ in range(_ROUNDS):
            answers = yield from _one_round(subject, slot, usual_value(subject, slot), test)
            if answers is None:
                break
            rounds.append(answers)
        else:
            return _obeyed(slot, rounds[0])
    return None


def _by_alternative(subject: Subject, slot: Slot) -> Steps[Failed | None]:
    """Where the usual value finds nothing: an alternative that is always true finds something."""
    for test in _OR:
        rounds = []
        for _ in range(_ROUNDS):
            answers = yield from _one_round(subject, slot, subject.nonce(), test)
            if answers is None:
                break
            rounds.append(answers)
        else:
            return _obeyed(slot, rounds[0])
    return None


def _one_round(
    subject: Subject, slot: Slot, value: str, test: _Test
) -> Steps[tuple[Exchange, Exchange, Exchange] | None]:
    """The plain value, the harmless and the telling ending; None as soon as one does not fit."""
    same_value, other_value = inserted(value, test.same), inserted(value, test.other)
    plain = yield from probe(subject, slot, value)
    first_value = other_value if test in _OR else same_value
    early = yield from probe(subject, slot, first_value)
    if plain is None or early is None:
        return None
    if _alike(subject, plain, value, early, first_value) is (test in _OR):
        return None
    late_value = same_value if test in _OR else other_value
    late = yield from probe(subject, slot, late_value)
    if late is None or _alike(subject, plain, value, late, late_value) is not (test in _OR):
        return None
    same, other = (late, early) if test in _OR else (early, late)
    if other.response is None or other.response.status >= 500:
        return None
    # The same characters with a word that no database knows must not act like the condition.
    telling = test.other if test in _OR else test.same
    nonsense_value = inserted(value, telling.replace("AND", "QND").replace("OR", "QR"))
    nonsense = yield from probe(subject, slot, nonsense_value)
    if nonsense is None:
        return None
    like_telling = _alike(
        subject,
        other if test in _OR else same,
        other_value if test in _OR else same_value,
        nonsense,
        nonsense_value,
    )
    return None if like_telling else (plain, same, other)


def _obeyed(slot: Slot, answers: tuple[Exchange, Exchange, Exchange]) -> Failed:
    plain, same, other = answers
    return Failed(
        detail=f"A condition written into {named(slot)} is obeyed by the database, "
        f"{_ROUNDS} times out of {_ROUNDS}.",
        evidence=(
            shown("The plain value", plain),
            shown("A condition behind it that changes nothing", same),
            shown("A condition behind it that changes the answer", other),
        ),
        parameter=named(slot),
    )


def _alike(subject: Subject, one: Exchange, value: str, other: Exchange, other_value: str) -> bool:
    """Whether two answers are alike: for reads in content, for writes in success."""
    assert subject.operation is not None, "runs once for each operation"
    if subject.operation.is_read:
        return same_answer(one, value, other, other_value, changing_places(subject))
    return _served(subject, one) == _served(subject, other)


def _served(subject: Subject, exchange: Exchange) -> bool:
    response = exchange.response
    return response is not None and response.succeeded and not subject.refused(response)


def _reacts(exchange: Exchange) -> bool:
    """Whether the answer looks like a query that broke."""
    response = exchange.response
    return response is not None and (response.status >= 500 or bool(_error_text(exchange)))


def _error_text(exchange: Exchange) -> str | None:
    found = _DATABASE_ERROR.search(exchange.response.text) if exchange.response else None
    return found.group(0) if found else None


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
        "row, is it reported. Where errors are hidden it adds a condition that is true and one "
        "that is false and compares the answers. A single server error proves nothing here."
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
