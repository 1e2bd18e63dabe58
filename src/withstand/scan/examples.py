"""What the tiny servers in the examples of the checks are made of. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from withstand.client.exchange import Request, Response
from withstand.client.scripted import Late

BEARER: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
"""The `security` of an operation that needs a token."""

UNAUTHENTICATED: Final = Response(
    status=401,
    headers=(
        ("Content-Type", "application/json"),
        ("X-Content-Type-Options", "nosniff"),
        ("WWW-Authenticate", "Bearer"),
    ),
    body=b'{"error": "log in first"}',
)


FORBIDDEN: Final = Response(
    status=403,
    headers=(("Content-Type", "application/json"),),
    body=b'{"error": "not for your role"}',
)


def answer(status: int, document: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(
        status=status,
        headers=(
            ("Content-Type", "application/json"),
            ("X-Content-Type-Options", "nosniff"),
            *(headers or {}).items(),
        ),
        body=json.dumps(document).encode(),
    )


def page(status: int, text: str, media_type: str = "text/html; charset=utf-8") -> Response:
    """A response for people."""
    headers = (("Content-Type", media_type), ("X-Content-Type-Options", "nosniff"))
    return Response(status=status, headers=headers, body=text.encode())


def late(response: Response, after_s: float) -> Response:
    """The same response after some virtual time."""
    return Late(
        status=response.status, headers=response.headers, body=response.body, after_s=after_s
    )


def not_found() -> Response:
    """404."""
    return answer(404, {"error": "there is no such thing"})


def caller(request: Request) -> str | None:
    """Whose token the request carries: alice, bob or root; None for anybody else."""
    tokens = {f"Bearer {name}-token": name for name in ("alice", "bob", "root")}
    return tokens.get(request.header("authorization") or "")


def last_segment(request: Request) -> str:
    """The decoded last segment of the path."""
    return unquote(request.operation_path.rsplit("/", 1)[-1])


def query(request: Request, name: str) -> str:
    """The value of a query parameter; empty without it."""
    return parse_qs(urlsplit(request.path).query, keep_blank_values=True).get(name, [""])[0]


def sent(request: Request) -> dict[str, Any]:
    """The JSON object in the request's body; empty without one."""
    document = request.json()
    return document if isinstance(document, dict) else {}


def operation(
    *,
    secured: bool = True,
    parameters: tuple[tuple[str, str], ...] = (),
    example: str | None = None,
    **more: object,
) -> dict[str, Any]:
    """An OpenAPI operation. Each parameter is its place and name: `("query", "q")`."""
    schema = {"type": "string"} | ({"example": example} if example is not None else {})
    return {
        "security": BEARER if secured else [],
        "parameters": [
            {
                "in": place,
                "name": name,
                "required": place == "path",
                "schema": schema,
            }
            for place, name in parameters
        ],
        "responses": {"200": {"description": "OK"}},
        **more,
    }


def body(**properties: dict[str, Any]) -> dict[str, Any]:
    """A JSON request body in which every property is required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
