"""An API with as many operations as one likes: collections of five operations each, all alike.

python -m benchmarks.scan.generated 10     # ten collections; prints the address
"""

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import uvicorn

PER_COLLECTION = 5
TOKENS = {f"Bearer {name}-token-{name * 3}": name for name in ("alice", "bob")}
_BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
_HEADERS = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]


def document(collections: int) -> dict[str, Any]:
    """The OpenAPI document."""
    thing = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 100},
            "count": {"type": "integer", "minimum": 0, "maximum": 1000},
        },
        "required": ["title", "count"],
    }
    stored = {"type": "object", "properties": {"id": {"type": "integer"}, **thing["properties"]}}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    search = {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 100}}
    body = {"required": True, "content": {"application/json": {"schema": thing}}}

    def operation(status: int, schema: object = None, **more: object) -> dict[str, object]:
        content = {"content": {"application/json": {"schema": schema}}} if schema else {}
        answers = {str(status): {"description": "Done", **content}}
        return {"security": _BEARER, "responses": answers, **more}

    paths: dict[str, object] = {}
    for index in range(collections):
        paths[f"/things{index}"] = {
            "get": operation(200, {"type": "array", "items": stored}, parameters=[search]),
            "post": operation(201, stored, requestBody=body),
        }
        paths[f"/things{index}/{{id}}"] = {
            "get": operation(200, stored, parameters=[number]),
            "put": operation(200, stored, parameters=[number], requestBody=body),
            "delete": operation(204, parameters=[number]),
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


CONFIG = """
[target]
base_url = "{url}"

[identities]
alice = {{ role = "user", token = "alice-token-alicealicealice" }}
bob = {{ role = "user", token = "bob-token-bobbobbob" }}
"""


class Things:
    """The application: things belong to who made them."""

    def __init__(self, collections: int) -> None:
        self._document = json.dumps(document(collections)).encode()
        self._collections = {f"things{index}" for index in range(collections)}
        self._stored: dict[tuple[str, int], tuple[str, dict[str, object]]] = {}
        self._numbers = itertools.count(1001)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while scope["type"] == "http":
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        else:
            return
        status, content = self._answer(scope, body)
        text = b"" if content is None else json.dumps(content).encode()
        if content == "document":
            text = self._document
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": text})

    def _answer(self, scope: Any, body: bytes) -> tuple[int, Any]:
        if scope["path"] == "/openapi.json":
            return 200, "document"
        parts = scope["path"].strip("/").split("/")
        if parts[0] not in self._collections or len(parts) > 2:
            return 404, {"error": "not found"}
        headers = dict(scope["headers"])
        user = TOKENS.get(headers.get(b"authorization", b"").decode("latin-1"))
        if user is None:
            return 401, {"error": "who are you?"}
        if len(parts) == 1:
            return self._collection(scope["method"], parts[0], user, body)
        if not (parts[1].isascii() and parts[1].isdecimal() and len(parts[1]) < 15):
            return 404, {"error": "not found"}
        return self._item(scope["method"], (parts[0], int(parts[1])), user, body)

    def _collection(self, method: str, name: str, user: str, body: bytes) -> tuple[int, Any]:
        if method == "GET":
            own = [
                thing
                for (collection, _), (owner, thing) in self._stored.items()
                if collection == name and owner == user
            ]
            return 200, own[-20:]
        if method != "POST":
            return 405, {"error": "not allowed"}
        thing = _thing(body)
        if thing is None:
            return 422, {"error": "not a thing"}
        number = next(self._numbers)
        self._stored[name, number] = (user, {"id": number, **thing})
        return 201, self._stored[name, number][1]

    def _item(self, method: str, key: tuple[str, int], user: str, body: bytes) -> tuple[int, Any]:
        owner, _ = self._stored.get(key, ("", {}))
        if owner != user:
            return 404, {"error": "not found"}
        if method == "DELETE":
            del self._stored[key]
            return 204, None
        if method == "PUT":
            changed = _thing(body)
            if changed is None:
                return 422, {"error": "not a thing"}
            self._stored[key] = (user, {"id": key[1], **changed})
        elif method != "GET":
            return 405, {"error": "not allowed"}
        return 200, self._stored[key][1]


def _thing(body: bytes) -> dict[str, object] | None:
    """What a body says, where it is a thing."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(sent, dict):
        return None
    title, count = sent.get("title"), sent.get("count")
    if not isinstance(title, str) or len(title) > 100 or not title.isprintable():
        return None
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 1000:
        return None
    return {"title": title, "count": count}


@contextlib.contextmanager
def running(collections: int) -> Iterator[str]:
    """The address of the API, served by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scan.generated", str(collections)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(timeout=10)


async def _serve(collections: int) -> None:
    config = uvicorn.Config(
        Things(collections), host="127.0.0.1", port=0, log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await serving


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
