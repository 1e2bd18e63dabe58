"""A check against its own vulnerable example: what a finding of it looks like. Pure.

A scripted transport never waits, so the scan runs to its end in one go, without an event loop.
"""

import itertools
import json
from dataclasses import replace
from typing import Final

from withstand.client.identity import Credential, Identity
from withstand.client.scripted import Scripted
from withstand.client.target import parse_target
from withstand.openapi.document import read_document
from withstand.scan.check import Check
from withstand.scan.finding import Finding
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Policy, Profile
from withstand.scan.scanner import scan

_ROLES: Final = {"alice": "user", "bob": "user", "root": "admin"}
_BEARER: Final = {"bearer": {"type": "http", "scheme": "bearer"}}


def example_findings(
    check: Check, *, base_url: str = "http://127.0.0.1:8000", first: int = 1
) -> tuple[Finding, ...]:
    """What the check finds on its vulnerable example, the same every time.

    `first` numbers its first canary: with another number it is a run with other canaries.
    """
    example = check.example
    plain = example.plain_vulnerable
    transport = Scripted(example.vulnerable(), plain=plain() if plain is not None else None)
    journey = scan(_plan(check, base_url, first), transport)
    try:
        journey.send(None)
    except StopIteration as end:
        findings: tuple[Finding, ...] = end.value.findings
        return findings
    finally:
        journey.close()
    raise AssertionError("a scripted transport waits for nothing")


def _plan(check: Check, base_url: str, first: int) -> ScanPlan:
    example = check.example
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Example", "version": "1"},
        "components": {"securitySchemes": _BEARER},
        "paths": example.paths,
    }
    numbers = itertools.count(first)
    policy = Policy(**(example.policy or {}))
    plain = example.plain_url
    return ScanPlan(
        api=read_document(json.dumps(document).encode(), source="openapi.json"),
        target=parse_target(base_url),
        policy=replace(policy, profile=Profile.ABUSE),
        checks=(check,),
        # Spread over all digits, as random ones are.
        nonce=lambda: f"ws{next(numbers) * 0x9E3779B97F4A7C15 % 2**96:024x}",
        identities=tuple(
            _identity(name, role, (example.tokens or {}).get(name)) for name, role in _ROLES.items()
        ),
        login=example.login,
        plain_target=parse_target(plain, allow=("api.example.com",)) if plain else None,
    )


def _identity(name: str, role: str, token: str | None) -> Identity:
    token = token or f"{name}-token"
    return Identity(
        name=name,
        role=role,
        fields={"email": f"{name}@example.com", "password": f"{name}-password-1"},
        credential=Credential(headers=(("Authorization", f"Bearer {token}"),), token=token),
    )
