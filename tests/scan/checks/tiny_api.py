"""Scans of tiny servers in memory: the examples of the checks, and worse ones."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any

from withstand.client.exchange import Exchange
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.scripted import Scripted, ScriptedListener
from withstand.client.target import parse_target
from withstand.openapi.document import read_document
from withstand.scan.catalogue import all_checks, check_named
from withstand.scan.check import Check, Server
from withstand.scan.examples import operation
from withstand.scan.finding import Finding
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Policy, Profile
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.scanner import scan

ROLES = {"alice": "user", "bob": "user", "root": "admin"}


def identities(
    names: tuple[str, ...] = tuple(ROLES),
    tokens: Mapping[str, str] | None = None,
    cookie: str | None = None,
) -> tuple[Identity, ...]:
    """The people of the examples, logged in."""
    found = []
    for name in names:
        token = (tokens or {}).get(name, f"{name}-token")
        bearer = ("Authorization", f"Bearer {token}")
        header = bearer if cookie is None else ("Cookie", f"{cookie}={token}")
        found.append(
            Identity(
                name=name,
                role=ROLES[name],
                fields={"email": f"{name}@example.com", "password": f"{name}-password-1"},
                credential=Credential(headers=(header,), token=token),
            )
        )
    return tuple(found)


def scanned(
    server: Server,
    paths: dict[str, Any],
    *,
    checks: tuple[Check, ...] | None = None,
    provoking: tuple[Check, ...] = (),
    policy: dict[str, Any] | None = None,
    people: tuple[Identity, ...] | None = None,
    login: LoginRecipe | None = None,
    plain: Server | None = None,
    plain_url: str | None = None,
    base_url: str = "http://127.0.0.1:9",
    expired_token: str | None = None,
    public_key: str | None = None,
    transport: Scripted | None = None,
    listens: bool = True,
    servers: tuple[str, ...] = (),
) -> tuple[ScanRecord, tuple[Exchange, ...]]:
    """A scan with all checks, or some: its record, and all that was sent."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Tiny", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "servers": [{"url": url} for url in servers],
        "paths": paths,
    }
    numbers = itertools.count(1)
    allow = ("api.example.com",)
    plan = ScanPlan(
        api=read_document(json.dumps(document).encode(), source="tiny.json"),
        target=parse_target(base_url, allow=allow),
        policy=Policy(**{"profile": Profile.ABUSE, **(policy or {})}),
        checks=all_checks() if checks is None else checks,
        provoking=provoking,
        nonce=lambda: f"ws{next(numbers) * 0x9E3779B97F4A7C15 % 2**96:024x}",
        identities=identities() if people is None else people,
        login=login,
        plain_target=parse_target(plain_url, allow=allow) if plain_url else None,
        expired_token=expired_token,
        public_key=public_key,
    )
    transport = transport or Scripted(server, plain=plain)
    record = asyncio.run(
        scan(plan, transport, listener=ScriptedListener(server) if listens else None)
    )
    return record, tuple(transport.exchanges)


def findings(name: str, server: Server, paths: dict[str, Any], **more: Any) -> tuple[Finding, ...]:
    """What one check finds."""
    record, _ = scanned(server, paths, checks=(check_named(name),), **more)
    return record.findings


def state(
    name: str, server: Server, paths: dict[str, Any], key: str | None = None, **more: Any
) -> tuple[CoverageState, str]:
    """What became of one check, on one operation where it runs for each."""
    record, _ = scanned(server, paths, checks=(check_named(name),), **more)
    row = next(row for row in record.coverage if key is None or row.operation == key)
    return row.state, row.reason


def search(example: str | None = "tea", **more: Any) -> dict[str, Any]:
    """One operation with a text in its query."""
    return {
        "/search": {
            "get": operation(secured=False, parameters=(("query", "q"),), example=example, **more)
        }
    }
