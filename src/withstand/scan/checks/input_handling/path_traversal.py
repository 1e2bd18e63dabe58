"""A name from a request leads out of the folder it was meant for."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.naming import words
from withstand.openapi.request_builder import Slot
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.check import (
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
    not_applicable,
    shown,
)
from withstand.scan.examples import not_found, operation, page, query
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.inputs import (
    holds_one_form,
    is_invalid,
    judged,
    left_alone,
    named,
    probe,
    text_slots,
    usual_value,
)
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file that every machine of a kind has, and a line that only it holds."""

    path: str
    line: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a path is written; `raw` is put into the request target as it is."""

    file: _File
    write: Callable[[str], str]
    raw: bool = False


_DEPTH: Final = 12  # more levels up than any folder is deep: above the root is the root
_PASSWD: Final = _File(
    path="etc/passwd",
    # Some answer with the content in base64: this is how `root:x:0:0` begins then.
    line=re.compile(r"root:[^:\s]{0,200}:0:0:[^:\n]{0,200}:/|\bcm9vdDp4OjA6MD[A-Za-z0-9+/]{8,20}"),
)
_WIN_INI: Final = _File(
    path="windows/win.ini",
    line=re.compile(r"(?m)^; for 16-bit app support|^\[(?:fonts|extensions)\]"),
)
_UP: Final = "../" * _DEPTH
_PLAIN: Final = (
    _Way(file=_PASSWD, write=lambda path: _UP + path),
    _Way(file=_PASSWD, write=lambda path: f"/{path}"),
)
_FILE_WORDS: Final = frozenset(
    {
        "file", "files", "filename", "path", "filepath", "folder", "dir", "directory", "document",
        "doc", "page", "template", "view", "include", "image", "img", "picture", "photo", "avatar",
        "report", "download", "attachment", "export", "import", "log", "manual", "asset", "static",
        "lang", "language", "locale", "theme", "style", "layout", "name", "key", "resource", "src",
        "url", "uri", "config", "backup", "archive", "script",
    }
)  # fmt: skip


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject):
        return not_applicable("it takes no text")
    return left_alone(subject, delete="what it finds outside its folder would be lost")


def run(subject: Subject) -> Steps[Outcome]:
    slots = text_slots(subject)
    clean = yield from cleared(
        subject,
        [slot for slot in slots if not _may_be_file(subject, slot)],
        lambda _slot: [way.write(way.file.path) for way in _PLAIN],
        lambda exchange: any(_line(way.file, exchange) is not None for way in _PLAIN),
        refusal_clears=True,
    )
    return (yield from judged(subject, slots, partial(_judge, subject), clean))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    tried = False
    for way in _ways_out(subject, slot):
        exchange = yield from _asked(subject, slot, way, way.file.path)
        if exchange is None or exchange.response is None:
            continue
        tried = True
        line = _line(way.file, exchange)
        if line is None:
            if is_invalid(exchange) and holds_one_form(slot):
                return False
            continue
        missing = f"{posixpath.dirname(way.file.path)}/{subject.nonce()}"
        control = yield from _asked(subject, slot, way, missing)
        if control is None or control.response is None or _line(way.file, control) is not None:
            return False  # it shows that text whatever is asked for
        return Failed(
            detail=f"A path in {named(slot)} leads out of its folder: the server's "
            f"/{way.file.path} comes back.",
            evidence=(
                shown("A file outside the folder comes back", exchange, line.group(0)),
                shown("A file that does not exist, in the same place, does not", control),
            ),
            parameter=named(slot),
            confidence=Confidence.CERTAIN,
        )
    return False if tried else None


def _line(file: _File, exchange: Exchange) -> re.Match[str] | None:
    """The line of the file, where the answer has it."""
    return file.line.search(exchange.response.text) if exchange.response is not None else None


def _asked(subject: Subject, slot: Slot, way: _Way, path: str) -> Steps[Exchange | None]:
    written = way.write(path)
    if way.raw:
        return (yield from probe(subject, slot, subject.nonce(), raw=written))
    return (yield from probe(subject, slot, written))


def _ways_out(subject: Subject, slot: Slot) -> tuple[_Way, ...]:
    """The plain ones everywhere; all of them where a file is meant, or something is only read."""
    if not _may_be_file(subject, slot):
        return _PLAIN
    ways = [
        *_PLAIN,
        # Whole again once `../` has been removed.
        _Way(file=_PASSWD, write=lambda path: "....//" * _DEPTH + path),
        # Decoded twice.
        _Way(file=_PASSWD, write=lambda path: "..%2f" * _DEPTH + path.replace("/", "%2f")),
        _Way(file=_WIN_INI, write=lambda path: "..\\" * _DEPTH + path.replace("/", "\\")),
        _Way(file=_WIN_INI, write=lambda path: "C:\\" + path.replace("/", "\\")),
    ]
    folder, slash, _ = usual_value(subject, slot).rpartition("/")
    if slash and "://" not in folder:  # some look whether it begins with the right folder
        ways.append(_Way(file=_PASSWD, write=lambda path: f"{folder}/{_UP}{path}"))
    if {"url", "uri", "src", "link"} & {*words(slot.name)} or slot.schema.get("format") == "uri":
        ways.append(_Way(file=_PASSWD, write=lambda path: f"file:///{path}"))
    if slot.location == "path":
        ways.append(_Way(file=_PASSWD, write=lambda path: _UP + path, raw=True))
        dots = "%2e%2e%2f" * _DEPTH
        ways.append(
            _Way(file=_PASSWD, write=lambda path: dots + path.replace("/", "%2f"), raw=True)
        )
    return tuple(ways)


def _may_be_file(subject: Subject, slot: Slot) -> bool:
    assert subject.operation is not None, "runs once for each operation"
    said = {*words(slot.name)}
    if subject.operation == sign_up_operation(subject.api, subject.builder):
        said.discard("name")  # it is a person's
    if _FILE_WORDS & said:
        return True
    if subject.operation.is_read and slot.location in {"path", "query"}:
        return not holds_one_form(slot)
    return re.search(r"\.[a-z]{2,4}$|/", usual_value(subject, slot)) is not None


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
        "/etc/passwd, on Windows for win.ini, in several spellings, and reports only when a line "
        "of that file comes back and does not for a file of an invented name in the same place."
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
