"""What the API has answered during the scan, by operation. For checks that only look. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.soft_errors import says_no
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import calls
from withstand.scan.answers.shape import leaves
from withstand.scan.finding import Evidence
from withstand.scan.subject import Subject

_SHOWN: Final = 3
_ISSUING_WORDS: Final = frozenset(
    {"login", "signin", "token", "tokens", "session", "sessions", "auth", "oauth", "register"}
    | {"key", "keys", "apikeys", "certificate", "certificates", "credentials", "impersonate"}
)


def answers(subject: Subject, *, documented: bool = False) -> Iterator[Exchange]:
    """Every distinct exchange with a response: those observed, and the baselines.

    `documented` leaves out what a path that the document does not have has served: whatever such a
    page gives away is one finding with the page itself.
    """
    known: set[tuple[Request, int, bytes]] = set()
    baselines = (baseline.exchange for baseline in subject.baselines.values())
    for exchange in (*baselines, *subject.observed):
        response = exchange.response
        if response is None:
            continue
        mark = (exchange.request, response.status, response.body)
        if mark in known:
            continue
        known.add(mark)
        if documented and response.succeeded and operation_of(subject, exchange) is None:
            continue
        yield exchange


def operation_of(subject: Subject, exchange: Exchange) -> Operation | None:
    """The operation that a request called, None when the document has none."""
    return called(subject.api, subject.target.base_path, exchange.request)


def called(api: Api, base_path: str, request: Request) -> Operation | None:
    """The operation of a document that a request calls; None when it has none."""
    path = request.path.removeprefix(base_path)
    fitting = [
        operation
        for operation in api.operations
        if operation.method == request.method
        and calls(operation.path, path)
        and _says_the_deed(operation, request)
    ]
    return min(fitting, key=lambda op: (op.path.count("{"), -op.path.count("&")), default=None)


def _says_the_deed(operation: Operation, request: Request) -> bool:
    """Whether the body names the deed of an operation that shares its address with others."""
    name, _, deed = operation.path.partition("#")[2].partition("=")
    if not deed:
        return True
    text = request.body.decode("utf-8", "replace")
    return f'"{deed}"' in text or urlencode({name: deed}) in text


def keys_of(subject: Subject, exchanges: list[Exchange]) -> tuple[str, ...]:
    """The keys of the operations that exchanges called, each once, in the document's order."""
    found = {op.key for e in exchanges if (op := operation_of(subject, e)) is not None}
    return tuple(op.key for op in subject.api.operations if op.key in found)


def carries(request: Request, value: str) -> bool:
    """Whether a request holds a text itself, so that it may come back as an echo."""
    text = request.body.decode("utf-8", "replace")
    return value in text or json.dumps(value)[1:-1] in text or value in request.path


def sent_before(subject: Subject, value: str) -> bool:
    """Whether any request of the run held a text: then the scan itself may have put it there."""
    return any(carries(exchange.request, value) for exchange in subject.observed)


def gives_out_secrets(called: Operation | None, request: Request) -> bool:
    """Whether it is an operation's purpose to hand out a token or a new key, once."""
    path = (called.path if called else request.operation_path).lower()
    words = re.split(r"[^a-z]+", path)
    return request.method == "POST" and any(word in _ISSUING_WORDS for word in words)


def text_of(response: Response) -> str:
    """The texts in a JSON answer, a line each and as they are meant; any other body as it is."""
    return _text_of(response.body)


def was_served(exchange: Exchange) -> bool:
    """Whether the answer is a success that does not say otherwise: `{"success": false}` is none."""
    response = exchange.response
    return response is not None and response.succeeded and not says_no(response)


def admits_failure(response: Response) -> bool:
    """Whether an answer says that something went wrong: by its status, or in a soft error."""
    return response.status >= 400 or says_no(response)


def one_of_each(
    subject: Subject, found: Iterable[tuple[Exchange, str]]
) -> tuple[tuple[Exchange, str], ...]:
    """Of each operation the shortest exchange with what was found in it; three at most."""
    best: dict[tuple[str, ...], tuple[Exchange, str]] = {}
    for exchange, value in sorted(found, key=lambda pair: _length(pair[0])):
        best.setdefault(keys_of(subject, [exchange]), (exchange, value))
    return tuple(best.values())[:_SHOWN]


def concealed_evidence(
    subject: Subject, caption: str, found: Iterable[tuple[Exchange, str]]
) -> tuple[Evidence, ...]:
    """What was found, one exchange of each operation, with secrets cut to their first characters.

    A report is read by more people than may know the secret.
    """
    pairs = list(found)
    evidence = []
    for exchange, value in one_of_each(subject, pairs):
        values = {other for seen, other in pairs if seen is exchange}
        shown = exchange
        for each in sorted(values, key=len, reverse=True):
            shown = _concealed(shown, each)
        evidence.append(Evidence(caption=caption, exchange=shown, highlight=hint_of(value)))
    return tuple(evidence)


def hint_of(secret: str) -> str:
    """A secret's first characters, a quarter of it and six at most, and how long it is."""
    return f"{secret[: min(len(secret) // 4, 6)]}… ({len(secret)} characters)"


def _concealed(exchange: Exchange, secret: str) -> Exchange:
    response = exchange.response
    assert response is not None, "it was found in a response"
    hint, body = hint_of(secret), response.body
    for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
        body = body.replace(form.encode("utf-8", "replace"), hint.encode())
    headers = tuple((name, value.replace(secret, hint)) for name, value in response.headers)
    return replace(exchange, outcome=replace(response, body=body, headers=headers))


def where(subject: Subject, exchanges: list[Exchange]) -> str:
    """The operations that exchanges called, as a finding's sentence names them."""
    keys = keys_of(subject, exchanges)
    if not keys:
        return "an operation that the document does not have"
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")


def _length(exchange: Exchange) -> int:
    return len(exchange.response.body) if exchange.response else 0


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


@lru_cache(maxsize=4096)  # several checks look at the same answers, and many answers are the same
def _text_of(body: bytes) -> str:
    response = Response(status=0, body=body)
    document = response.json()
    if document is None:
        return response.text
    return "\n".join(value for _, value in leaves(document) if isinstance(value, str))
