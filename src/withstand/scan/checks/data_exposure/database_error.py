"""Errors are answered with what the database, or its driver, said."""

import re
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation, query
from withstand.scan.finding import Severity
from withstand.scan.probes.traces import trace_in
from withstand.scan.seen import (
    admits_failure,
    answers,
    keys_of,
    one_of_each,
    sent_before,
    text_of,
    where,
)
from withstand.scan.subject import Subject

_MESSAGES: Final = {
    "SQLite": r"\bsqlite3?\.\w+(?:Error|Exception)\b|\bSQLITE_[A-Z]{4,}\b"
    r"|\bnear \"[^\"\n]{0,80}\": syntax error|\bunrecognized token: \""
    r"|\bUNIQUE constraint failed: \w+\.\w",
    "PostgreSQL": r"\b(?:psycopg2?|asyncpg|pg8000)\.[\w.]*(?:[Ee]rror|[Ee]xception)|\bPSQLException"
    r"|\bPG::\w+|\bNpgsql\.\w+|\bpq: \w|\bunterminated quoted string at or near \""
    r"|\bsyntax error at or near \""
    r"|\brelation \"[\w.]+\" does not exist|\bviolates (?:unique|foreign key|check) constraint \""
    r"|\binvalid input syntax for (?:type )?(?:integer|uuid|bigint)\b",
    "MySQL": r"\bYou have an error in your SQL syntax\b|\b(?:pymysql|MySQLdb|mysql\.connector)\.\w+"
    r"|\bMySqlException\b|\bcom\.mysql\.|\bER_[A-Z]+_[A-Z_]+\b|\bmysqli?_\w+\(\)"
    r"|\bUnknown column '[^']+' in '",
    "SQL Server": r"\bUnclosed quotation mark after the character string"
    r"|\bSystem\.Data\.SqlClient\b|\bMicrosoft\.Data\.SqlClient\b|\bODBC SQL Server Driver\b"
    r"|\bODBC Driver \d+ for SQL Server\b|\bIncorrect syntax near '",
    "Oracle": r"\bORA-\d{5}: |\bPLS-\d{5}: |\boracle\.jdbc\.|\bcx_Oracle\.\w+|\boracledb\.\w+Error",
    "DB2": r"\bDB2 SQL error\b|\bcom\.ibm\.db2\.",
    "MongoDB": r"\bpymongo\.errors\.\w+|\bMongo(?:Server|Write|Bulk\w*)?(?:Error|Exception)\b"
    r"|\bE11000 duplicate key error\b",
    "a database": r"\bSQLSTATE\[\w{5}\]|\bPDOException\b|\bDoctrine\\DBAL\b|\bsqlalchemy\.exc\.\w+"
    r"|\bsqlalche\.me/|\bjava\.sql\.\w*Exception|\borg\.hibernate\.\w|\bJDBCException\b"
    r"|\bdjango\.db\.utils\.\w+|\bActiveRecord::\w+|\bSequelize\w*Error\b|\bQueryFailedError\b"
    r"|\bPrismaClient\w*Error\b|\bIlluminate\\Database\\QueryException\b|\bknex\b.{0,80}\bselect\b",
}
_PATTERNS: Final = {name: re.compile(pattern) for name, pattern in _MESSAGES.items()}
_PLAIN: Final = re.compile(
    r"\bno such (?:column|table): \w|\bcolumn \"?[\w.]+\"? does not exist\b"
    r"|\bunknown (?:top level )?operator: \$\w"
)
"""What databases say, but people too: evidence beside a statement, or where the server failed."""
_MARKS: Final = (
    *("sql", "SQL", "Sql", "SYNTAX", "syntax", "nrecognized token", "UNIQUE constraint", "PSQL"),
    *("asyncpg", "pg8000", "psycopg", "PG::", "Npgsql", "pq: ", "unterminated", "does not exist"),
    *("violates ", "ER_", "Unknown column", "Unclosed", "ODBC", "ORA-", "PLS-", "racle", "DB2"),
    *("ibm.db2", "ongo", "E11000", "operator: $", "PDO", "Doctrine", "hibernate", "JDBC", "knex"),
    *("django.db", "ActiveRecord", "Sequelize", "QueryFailed", "PrismaClient", "Illuminate"),
    *("no such ",),
)
"""Without any of these there is nothing to search for: most answers are done with here."""
_STATEMENT: Final = re.compile(
    r"\bSELECT\b.{1,400}?\bFROM\b|\bINSERT\s+INTO\b.{1,200}?\bVALUES\b|\bUPDATE\b.{1,200}?\bSET\b"
    r"|\bDELETE\s+FROM\s+[\w\"`\[]",
    re.DOTALL | re.IGNORECASE,
)
_LONGEST_TEXT: Final = 100_000


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    found: list[tuple[Exchange, str]] = []
    names: list[str] = []
    for exchange in answers(subject):
        told = _told(subject, exchange)
        if told is not None:
            names.append(told[0])
            found.append((exchange, told[1]))
    if not found:
        return PASSED
    exchanges = [exchange for exchange, _ in found]
    known = [name for name in dict.fromkeys(names) if name != "a database"]
    return Failed(
        detail=f"Messages of {' and '.join(known) or 'a database'} are in the responses of "
        f"{where(subject, exchanges)}.",
        evidence=tuple(
            shown("The response repeats what the database said", exchange, text)
            for exchange, text in one_of_each(subject, found)
        ),
        operations=keys_of(subject, exchanges),
    )


def _told(subject: Subject, exchange: Exchange) -> tuple[str, str] | None:
    """The database that speaks in a response, and what it says; None when none does."""
    response = exchange.response
    assert response is not None, "answers() gives exchanges with a response"
    text = text_of(response)[:_LONGEST_TEXT]
    if not any(mark in text for mark in _MARKS):
        return None
    for name, pattern in (*_PATTERNS.items(), ("a database", _PLAIN)):
        match = pattern.search(text)
        if match is None or sent_before(subject, match.group(0)):
            continue
        # In what is no error, a driver's name may be a text about databases.
        sure = response.status >= 500 if pattern is _PLAIN else admits_failure(response)
        if not sure and not _STATEMENT.search(text):
            continue
        if trace_in(response) is not None:
            return None  # one cause: the trace is reported, and its last line is this
        return name, match.group(0)
    return None


def _server(message: str) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        # Deliberately not injectable: any sort order but two is refused, and only the text differs.
        if query(request, "sort") not in {"", "name", "price"}:
            return answer(400, {"error": message})
        return answer(200, [{"name": "Teapot", "price": 12}])

    return server


def vulnerable() -> Server:
    return _server(
        "(sqlite3.OperationalError) no such column: by_magic "
        "[SQL: SELECT name, price FROM products ORDER BY by_magic]"
    )


def safe() -> Server:
    # The words of a database in a message for people.
    return _server("Cannot sort by this column. Select one from the list: name, price.")


CHECK = Check(
    name="database-error-in-response",
    title="Errors are answered with the database's own message",
    family="data exposure",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(209,), owasp=("API8:2023",), asvs=("16.5.1",), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "A response repeats what a database or its driver said: names of tables and columns, parts "
        "of the statement, the product in use. Whoever looks for a way into the database learns "
        "from it what a query looks like and whether an attempt worked. The check knows the "
        "messages of the common databases and drivers and looks for them in every error that the "
        "rest of the scan received. What a request sent itself is no evidence."
    ),
    remedy=(
        "Catch the driver's errors where the query is made. Translate those that a caller can "
        "cause, such as a duplicate name, into a message of your own, and answer all others with a "
        "fixed text and an incident number."
    ),
    run=run,
    applies=applies,
    provoked_by=("malformed-body-crash", "nul-byte-crash", "sql-injection", "unusual-value-crash"),
    example=Example(
        paths={
            "/products": {"get": operation(parameters=(("query", "sort"),), example="name")},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
