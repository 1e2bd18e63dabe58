"""Requests are sent to a scripted API, and what they made is cleaned up."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.scan.small_api import EVERYBODY, planned
from withstand.client.exchange import Exchange, Request, Response
from withstand.client.scripted import Scripted
from withstand.scan.run.cleanup import Cleared, clean_up

FINE: dict[str, Any] = {"responses": {"200": {"description": "fine"}}}
BODY = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}


def api_of(*keys: str) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for key in keys:
        method, path = key.split()
        paths.setdefault(path, {})[method.lower()] = FINE | (BODY if method == "POST" else {})
    return paths


def named(exchange: Exchange) -> Exchange:
    header = exchange.request.header("authorization") or ""
    name = header.removeprefix("Bearer ").removesuffix("-token")
    return replace(exchange, identity=name if name != "nobody" else None)


def cleared(
    paths: dict[str, Any],
    server: Callable[[Request], Response],
    *sent: Request,
    sign_up: str | None = None,
) -> tuple[Cleared, list[str]]:
    """Sends the requests, then cleans up: what came of it, and what was deleted."""
    transport = Scripted(server)
    plan = planned(paths=paths)

    async def journey() -> Cleared:
        exchanges = [named(await transport.send(request)) for request in sent]
        known = plan.api.operation(sign_up) if sign_up is not None else None
        return await clean_up(plan, transport, exchanges, identities=EVERYBODY, sign_up=known)

    found = asyncio.run(journey())
    deletions = [e.request.path for e in transport.exchanges if e.request.method == "DELETE"]
    return found, deletions


def post(path: str, who: str = "alice") -> Request:
    return Request(
        method="POST",
        path=path,
        headers=(("Authorization", f"Bearer {who}-token"), ("Content-Type", "application/json")),
        body=b"{}",
    )
