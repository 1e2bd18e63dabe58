"""What the API has answered during the scan, by operation. For checks that only look. Pure."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from withstand.client.exchange import Exchange, Request
from withstand.openapi.operation import Api, Operation
from withstand.scan.subject import Subject


def answers(subject: Subject) -> Iterator[Exchange]:
    """Every distinct exchange with a response: those observed, and the baselines."""
    known: set[tuple[Request, int, bytes]] = set()
    baselines = (baseline.exchange for baseline in subject.baselines.values())
    for exchange in (*baselines, *subject.observed):
        response = exchange.response
        if response is None:
            continue
        mark = (exchange.request, response.status, response.body)
        if mark not in known:
            known.add(mark)
            yield exchange


def operation_of(subject: Subject, exchange: Exchange) -> Operation | None:
    """The operation that a request called, None when the document has none."""
    path = exchange.request.operation_path.removeprefix(subject.target.base_path)
    fitting = [
        operation
        for operation in subject.api.operations
        if operation.method == exchange.request.method
        and _pattern(operation.path).fullmatch(path) is not None
    ]
    return min(fitting, key=lambda operation: operation.path.count("{"), default=None)


def keys_of(subject: Subject, exchanges: list[Exchange]) -> tuple[str, ...]:
    """The keys of the operations that exchanges called, each once, in the document's order."""
    found = {op.key for e in exchanges if (op := operation_of(subject, e)) is not None}
    return tuple(op.key for op in subject.api.operations if op.key in found)


def carries(request: Request, value: str) -> bool:
    """Whether a request holds a text itself, so that it may come back as an echo."""
    text = request.body.decode("utf-8", "replace")
    return value in text or json.dumps(value)[1:-1] in text or value in request.path


def declares(api: Api, operation: Operation | None) -> Iterator[Any]:
    """Examples and defaults that the document gives for the operation's responses."""
    for media in operation.responses.values() if operation else ():
        for schema in media.values():
            yield from _examples(api, schema, 0)


def _examples(api: Api, schema: Any, depth: int) -> Iterator[Any]:
    if not isinstance(schema, dict) or depth > 6:
        return
    resolved = api.resolve(schema)
    for word in ("example", "default", "const"):
        if word in resolved:
            yield resolved[word]
    yield from resolved.get("examples") or ()
    for child in (resolved.get("properties") or {}).values():
        yield from _examples(api, child, depth + 1)
    yield from _examples(api, resolved.get("items"), depth + 1)


@lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(piece) for piece in pieces))
