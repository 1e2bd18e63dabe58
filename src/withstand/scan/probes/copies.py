"""Where a file that was uploaded may be served again. Pure."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from withstand.client.exchange import Exchange, Request
from withstand.openapi.identifiers import identifier_in, identifier_in_location
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.answers.shape import leaves
from withstand.scan.subject import Subject

_FILE_WORDS: Final = frozenset({"file", "filename", "name", "key", "path", "object", "blob"})


def copies(subject: Subject, taken: Exchange, name: str) -> Iterator[Request]:
    """Requests that may get the file: where the answer points to, and what reads such things."""
    seen: set[str] = set()
    for path in (*_addresses(subject, taken, name), *_reads(subject, taken, name)):
        if path not in seen:
            seen.add(path)
            request = Request(method="GET", path=path, headers=(("Accept", "text/html, */*"),))
            yield subject.owner.authorize(request) if subject.owner is not None else request


def _addresses(subject: Subject, taken: Exchange, name: str) -> Iterator[str]:
    response = taken.response
    assert response is not None, "only what was taken has copies"
    ending = "." + name.rpartition(".")[2]
    texts = [str(value) for _, value in leaves(response.json()) if isinstance(value, str)]
    location = response.header("location")
    for text in (*([location] if location else []), *texts):
        try:
            address = urlsplit(text)
        except ValueError:  # an open bracket, say: no address
            continue
        if address.scheme in {"http", "https"}:
            if address.netloc == subject.target.authority:
                yield _path_and_query(address.path, address.query)
        elif text.startswith("/") and not text.startswith("//") and len(text) > 1:
            yield _path_and_query(address.path, address.query)
            if subject.target.base_path and not text.startswith(subject.target.base_path):
                yield subject.target.base_path + _path_and_query(address.path, address.query)
        elif "/" in text and text.endswith(ending) and " " not in text:
            yield f"{subject.target.base_path}/{quote(text)}"


def _path_and_query(path: str, query: str) -> str:
    return quote(path, safe="/%:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")


def _reads(subject: Subject, taken: Exchange, name: str) -> Iterator[str]:
    """The paths of the operations that read what this one makes, filled in."""
    own = subject.operation
    assert own is not None, "runs once for each operation"
    assert taken.response is not None, "only what was taken has copies"
    for reader in subject.api.operations:
        if (
            reader.method != "GET"
            or not reader.is_read
            or subject.policy.forbids(reader) is not None
        ):
            continue
        if not reader.path_parameters:
            continue
        named = reader.path_parameters[-1].name
        is_name = bool({*words(named)} & _FILE_WORDS)
        if not (is_name or _belongs_to(subject, reader, own)):
            continue
        found = identifier_in(taken.response.json(), named)
        if found is None:
            location = taken.response.made_at
            found = identifier_in_location(location, reader.path) if location else None
        for value in (*([found] if found is not None else []), *_names(taken, name, is_name)):
            path = _filled(subject, reader, named, value)
            if path is not None:
                yield path


def _belongs_to(subject: Subject, reader: Operation, own: Operation) -> bool:
    beginning = own.path.rstrip("/")
    return (
        reader.path == own.path
        or reader.path.startswith(beginning + "/{")
        or producer_of(subject.api, reader) is own
    )


def _names(taken: Exchange, name: str, is_name: bool) -> Iterator[str]:
    """How the file may be called now, for a reader that asks for a name."""
    if not is_name or taken.response is None:
        return
    ending = "." + name.rpartition(".")[2]
    for _, value in leaves(taken.response.json()):
        if isinstance(value, str) and value.endswith(ending):
            yield value.rpartition("/")[2]
    yield name


def _filled(subject: Subject, reader: Operation, parameter: str, value: object) -> str | None:
    baseline = subject.baseline
    assert baseline is not None, "only operations with a baseline are judged"
    parents = {s.name: v for s, v in baseline.built.values.items() if s.location == "path"}
    chosen = {
        slot: value if slot.name == parameter else parents[slot.name]
        for slot in subject.builder.slots(reader)
        if slot.location == "path" and (slot.name == parameter or slot.name in parents)
    }
    try:
        return subject.build(reader, identity=subject.owner, replace=chosen).request.path
    except Unbuildable:
        return None
