"""A name from a request leads out of the folder it was meant for."""

import posixpath
import re
from typing import Final

from withstand.client.exchange import Request, Response
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
from withstand.scan.examples import not_found, operation, page, query
from withstand.scan.finding import Confidence, Severity
from withstand.scan.inputs import named, probe, text_slots
from withstand.scan.subject import Subject

_PASSWD: Final = re.compile(r"root:[^:\s]{0,200}:0:0:[^:\n]{0,200}:/")
_DEPTH: Final = 12  # more levels up than any folder is deep: above the root is the root
_FILE: Final = "etc/passwd"


def applies(subject: Subject) -> Skipped | None:
    if subject.operation is not None and subject.operation.method == "DELETE":
        return not_applicable("what a DELETE finds outside its folder could not be brought back")
    return None if text_slots(subject) else not_applicable("it takes no text")


def run(subject: Subject) -> Steps[Outcome]:
    found: list[Failed] = []
    tested = 0
    for slot in text_slots(subject):
        failure = yield from _judge(subject, slot)
        tested += failure is not None
        if isinstance(failure, Failed):
            found.append(failure)
    if found:
        return FailedMany(failures=tuple(found))
    return PASSED if tested else Inconclusive(reason="no input could be tried")


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    """A failure, False when the input is clean, None when it could not be tried."""
    is_read = subject.operation is not None and subject.operation.is_read
    tried = False
    for value, raw in _ways_out(slot, _FILE)[: None if is_read else 2]:
        exchange = yield from probe(subject, slot, _value(subject, value, raw), raw=raw)
        if exchange is None or exchange.response is None:
            continue
        tried = True
        line = _PASSWD.search(exchange.response.text)
        if line is None:
            continue
        missing = _FILE.replace("passwd", subject.nonce())
        other, other_raw = next(
            way
            for way, mine in zip(_ways_out(slot, missing), _ways_out(slot, _FILE), strict=True)
            if mine == (value, raw)
        )
        control = yield from probe(subject, slot, _value(subject, other, other_raw), raw=other_raw)
        if control is None or control.response is None or _PASSWD.search(control.response.text):
            return False  # it shows that text whatever is asked for
        return Failed(
            detail=f"A path in {named(slot)} leads out of its folder: the server's /etc/passwd "
            "comes back.",
            evidence=(
                shown("A file outside the folder comes back", exchange, line.group(0)),
                shown("A file that does not exist, in the same place, does not", control),
            ),
            parameter=named(slot),
            confidence=Confidence.CERTAIN,
        )
    return False if tried else None


def _ways_out(slot: Slot, file: str) -> tuple[tuple[str, str | None], ...]:
    """Values, and for an input in the path the raw spelling in the request target."""
    ways: list[tuple[str, str | None]] = [
        ("../" * _DEPTH + file, None),
        (f"/{file}", None),
        ("....//" * _DEPTH + file, None),  # whole again once `../` has been removed
        ("..%2f" * _DEPTH + file.replace("/", "%2f"), None),  # decoded twice
    ]
    if slot.location == "path":
        ways.append(("", "../" * _DEPTH + file))
    return tuple(ways)


def _value(subject: Subject, value: str, raw: str | None) -> str:
    """The value, or a placeholder that the raw spelling takes the place of."""
    return value if raw is None else subject.nonce()


_FILES = {
    "/srv/manuals/teapot.txt": "Fill it with water.",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
}


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        path = posixpath.normpath(f"/srv/manuals/{query(request, 'name')}")
        return page(200, _FILES[path], "text/plain") if path in _FILES else not_found()

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        path = posixpath.normpath(f"/srv/manuals/{query(request, 'name')}")
        if posixpath.dirname(path) != "/srv/manuals" or path not in _FILES:
            return not_found()
        return page(200, _FILES[path], "text/plain")

    return server


CHECK = Check(
    name="path-traversal",
    title="A path in a request reads files outside its folder",
    family="input handling",
    severity=Severity.CRITICAL,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(cwe=(22,), owasp=("API8:2023",), asvs=("5.3.2",), wstg=("WSTG-ATHZ-01",)),
    explanation=(
        "The API joins a name from the request to a folder and opens the result, so `../` leads "
        "out of it: to configuration, keys and source code. The check asks for the system's "
        "/etc/passwd in several spellings, and reports only when a line of that file comes back "
        "and does not for a file of an invented name in the same place. Servers on Windows are "
        "not covered."
    ),
    remedy=(
        "Do not open what a request names: let it choose from the names that you know, or store "
        "files under ids of your own. Where a path is needed, resolve it first and refuse it "
        "unless the result still lies below the folder."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={
            "/manuals": {
                "get": operation(
                    secured=False, parameters=(("query", "name"),), example="teapot.txt"
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
