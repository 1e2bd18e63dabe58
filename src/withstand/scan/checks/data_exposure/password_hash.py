"""Responses carry password hashes."""

import re
from collections.abc import Iterator
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.field_names import is_password
from withstand.scan.answers.shape import leaves
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
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.seen import answers, carries, concealed_evidence, keys_of, where
from withstand.scan.subject import Subject

_HASH: Final = re.compile(
    r"(?<![\w$/.])(?:"
    r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}"  # bcrypt
    r"|\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+"
    r"|\$[156]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,86}"  # crypt(3)
    r"|pbkdf2[_:](?:sha\d+|sha)?[:$]\d+[:$][^\s\"$:]+[:$][A-Za-z0-9+/=]{16,}"
    r"|\$pbkdf2(?:-sha\d+)?\$\d+\$[./A-Za-z0-9]+\$[./A-Za-z0-9]+"
    r"|scrypt:\d+:\d+:\d+\$[^\s\"$]+\$[0-9a-f]{32,}"
    r"|\$scrypt\$[^\s\"]{20,}"
    r"|scrypt\$\d+\$\d+\$\d+\$[A-Za-z0-9+/=_-]+\$[A-Za-z0-9+/=_-]{16,}"
    r"|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/=]{20,}"
    r")"
)
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{2}){16}(?:(?:[0-9a-f]{2}){4,48})?", re.IGNORECASE)


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    found: list[tuple[Exchange, str]] = []
    for exchange in answers(subject, documented=True):
        found += [(exchange, value) for value in _hashes_in(exchange)]
    if not found:
        return PASSED
    yield from ()
    exchanges = [exchange for exchange, _ in found]
    return Failed(
        detail=f"Password hashes are in the responses of {where(subject, exchanges)}.",
        evidence=concealed_evidence(subject, "The response holds a password hash", found),
        operations=keys_of(subject, exchanges),
    )


def _hashes_in(exchange: Exchange) -> Iterator[str]:
    """The password hashes in the response that the request did not send itself."""
    response = exchange.response
    assert response is not None, "answers() gives exchanges with a response"
    document = response.json()
    values = list(leaves(document)) if document is not None else [("", response.text)]
    for key, value in values:
        if not isinstance(value, str):
            continue
        match = _HASH.search(value)
        text = match.group(0) if match else None
        if text is None and is_password(_without_hash(key)) and _DIGEST.fullmatch(value):
            text = value
        if text is not None and not carries(exchange.request, text):
            yield text


def _without_hash(key: str) -> str:
    """`passwordHash`, `hashed_password` and the like without the word hash."""
    return re.sub(r"(?i)hash(?:ed)?|digest", "", key).strip("_-")


_HASH_OF_ADA = "$2b$12$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, [{"id": 1, "name": "Ada", "password": _HASH_OF_ADA}])

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, [{"id": 1, "name": "Ada"}])

    return server


CHECK = Check(
    name="password-hash-in-response",
    title="Responses carry password hashes",
    family="data exposure",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    confidence=Confidence.CERTAIN,
    references=References(
        cwe=(256, 200), owasp=("API3:2023",), asvs=("14.2.6",), wstg=("WSTG-APIT-03",)
    ),
    explanation=(
        "A response holds the hash of a password, in the form that bcrypt, Argon2, PBKDF2, scrypt "
        "or crypt give it, or a bare digest under a password's name. Usually a whole record from "
        "the database was turned into JSON. Hashes can be guessed offline at billions a second, "
        "and common passwords fall at once. The check only looks at responses that the rest of "
        "the scan received."
    ),
    remedy=(
        "Answer with a type of its own that names the properties to be sent, and keep the record's "
        "type inside. As a second line, let tests assert that no response has such a property. "
        "Treat the passwords whose hashes were sent out as lost."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/users": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
