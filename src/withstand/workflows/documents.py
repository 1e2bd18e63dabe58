"""OpenAPI documents: read from files, fetched from the target."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from withstand.client.exchange import Failure, Request
from withstand.client.loop import run
from withstand.client.target import Target, parse_target
from withstand.errors import TargetUnreachable, UsageError
from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.workflows.wiring import open_wire


def nonce() -> str:
    """A canary that no API holds by chance: `ws` and 96 random bits."""
    return "ws" + secrets.token_hex(12)


def read_document_file(file: Path) -> Api:
    """The API of a document on this machine. Raises UsageError."""
    try:
        return read_document(file.read_bytes(), source=str(file), beside=_beside(file.parent))
    except OSError as error:
        raise UsageError(
            f"the OpenAPI document {file} cannot be read: {error.strerror}",
            hint="give a file, a URL, or a path on the target such as /openapi.json",
        ) from None


def _beside(folder: Path) -> Callable[[str], bytes | None]:
    """Reads what a document refers to, relative to its folder: only JSON and YAML."""

    def read(name: str) -> bytes | None:
        file = folder / name
        if file.suffix.lower() not in {".json", ".yaml", ".yml"}:
            return None
        try:
            return file.read_bytes()
        except (OSError, ValueError):
            return None

    return read


def fetch_document(location: str, target: Target) -> Api:
    """`fetched_document`, for who has no event loop yet."""
    return run(fetched_document(location, target))


async def fetched_document(location: str, target: Target) -> Api:
    """The API of a document at a URL on the target's host, or at a path on the target.

    Raises UsageError when it is not there or no OpenAPI, TargetUnreachable when nothing answers.
    """
    if not location.startswith(("http://", "https://")):
        path = location if location.startswith("/") else f"/{location}"
        return await _fetch_api(target, target.base_path + path, f"{target.base_url}{path}")
    parts = urlsplit(location)
    named = parse_target(f"{parts.scheme}://{parts.netloc}", allow=(target.host,))
    host = replace(target, scheme=named.scheme, host=named.host, port=named.port, base_path="")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return await _fetch_api(host, path, location)


async def _fetch_api(target: Target, path: str, source: str) -> Api:
    async with open_wire(target) as wire:
        exchange = await wire.send(Request(method="GET", path=path))
    outcome = exchange.outcome
    if isinstance(outcome, Failure):
        raise TargetUnreachable(
            f"{target.base_url} does not answer ({outcome})",
            hint="start the API, or correct base_url under [target] or --base-url",
        )
    if not outcome.succeeded:
        raise UsageError(
            f"{source} answered {outcome.status}, so there is no OpenAPI document to read",
            hint="set openapi under [target] to the document's file, URL or path on the target",
        )
    return read_document(outcome.body, source=source)
