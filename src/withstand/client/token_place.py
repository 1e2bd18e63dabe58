"""Where the token is in the answer to a login, and how it wants to be sent. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Response

BEARER: Final = "Authorization: Bearer {token}"
_TOKEN_NAMES: Final = (
    "accesstoken", "token", "jwt", "authtoken", "sessiontoken", "idtoken", "bearertoken", "bearer",
    "apitoken", "apikey", "sessionid", "key",
)  # fmt: skip
_TOKEN_HEADERS: Final = ("authorization", "x-auth-token", "x-access-token", "x-session-token")
SHORTEST_TOKEN: Final = 8
_REFRESH: Final = re.compile(r"refresh(?:[-_]?(?:token|jwt|key))?", re.IGNORECASE)


def json_path(document: Any, path: str) -> Any:
    """The value at a simple JSON path (`$.data.tokens[0].value`), None when it is absent."""
    node = document
    for part in path.removeprefix("$").replace("[", ".").replace("]", "").split("."):
        if not part:
            continue
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, list) and re.fullmatch("-?[0-9]+", part):
            index = int(part)
            node = node[index] if -len(node) <= index < len(node) else None
        else:
            return None
    return node


def token_at(place: str, document: Any, response: Response) -> str | None:
    """The token at a JSON path or in a header; None when it is no text."""
    if place.startswith("header "):
        value = response.header(place.removeprefix("header ").strip()) or ""
        return re.sub(r"(?i)^(bearer|token|jwt)\s+", "", value).strip() or None
    value = json_path(document, place)
    return value if isinstance(value, str) and value else None


def found_token(document: Any, response: Response) -> tuple[str | None, str]:
    """The token of a response whose recipe does not say where it is, and how it is sent."""
    candidates = {
        re.sub("[^a-z]", "", name.lower()): value
        for name, value in reversed([*named_texts(document)])
        if len(value) >= SHORTEST_TOKEN and " " not in value
    }
    for name in _TOKEN_NAMES:
        if name in candidates:
            return candidates[name], template_beside(document)
    if isinstance(document, str) and len(document) >= 2 * SHORTEST_TOKEN and " " not in document:
        return document, BEARER
    for name in _TOKEN_HEADERS:
        token = token_at(f"header {name}", document, response)
        if token is not None:
            return token, BEARER
    return None, BEARER


def refresh_token(document: Any) -> str | None:
    """What a login gives to get the next token with; None where it gives no such thing."""
    named = (
        value
        for name, value in named_texts(document)
        if _REFRESH.fullmatch(name) and len(value) >= SHORTEST_TOKEN and " " not in value
    )
    return next(named, None)


def template_beside(document: Any) -> str:
    """How a token is sent by the `token_type` beside it; as a bearer token without one."""
    kinds = {name.lower(): value for name, value in named_texts(document)}
    kind = kinds.get("token_type", kinds.get("tokentype", "Bearer"))
    known = re.fullmatch("[A-Za-z]{1,12}", kind) is not None and kind.lower() != "bearer"
    return f"Authorization: {kind} {{token}}" if known else BEARER


def lifetime_s(document: object, token: str) -> float | None:
    """`expires_in` beside the token; None without one that is a number of seconds."""
    for node in _mappings(document):
        if token in node.values() or node is document:
            value = node.get("expires_in", node.get("expiresIn"))
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
                return float(value)
    return None


def _mappings(node: object) -> Iterator[Mapping[str, object]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _mappings(value)


def named_texts(node: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Texts with their names, outer ones first, to depth 4."""
    if isinstance(node, Mapping) and depth < 4:
        for name, value in node.items():
            if isinstance(value, str):
                yield str(name), value
        for value in node.values():
            yield from named_texts(value, depth + 1)
