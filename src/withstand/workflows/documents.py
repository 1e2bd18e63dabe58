"""OpenAPI documents: read from files, fetched from the target."""

import posixpath
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, urlsplit

from withstand.client.exchange import Failure, Request, Response
from withstand.client.loop import run
from withstand.client.target import Target, parse_target
from withstand.client.wire import Wire
from withstand.errors import TargetUnreachable, UsageError
from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.workflows.wiring import open_wire

_KINDS: Final = frozenset({".json", ".yaml", ".yml"})
_MOST_FILES: Final = 200
_MOST_BYTES: Final = 50_000_000


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
        if file.suffix.lower() not in _KINDS:
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
    """The API of a document at a URL on the target's host, or at a path on the target, with the
    JSON and YAML files that it refers to by names relative to its own.

    Raises UsageError when it is not there, no OpenAPI, or in too many files; TargetUnreachable
    when nothing answers.
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
        document = await _got(wire, target, path)
        if not document.succeeded:
            raise UsageError(
                f"{source} answered {document.status}, so there is no OpenAPI document to read",
                hint="set openapi under [target] to the document's file, URL or path on the target",
            )
        files: dict[str, bytes | None] = {}
        while True:  # each file may refer to more
            wanted: dict[str, None] = {}

            def beside(name: str, wanted: dict[str, None] = wanted) -> bytes | None:
                if name not in files:
                    wanted[name] = None
                return files.get(name)

            api = read_document(document.body, source=source, beside=beside)
            if not wanted:
                return api
            for name in wanted:
                files[name] = await _file_beside(wire, target, path, name)
                _require_bounded(source, files)


async def _file_beside(wire: Wire, target: Target, path: str, name: str) -> bytes | None:
    """A file of the same origin; None where there is none, or its name is that of something else:
    what a GET of it would do, nobody knows.
    """
    if PurePosixPath(name).suffix.lower() not in _KINDS:
        return None
    folder = posixpath.dirname(path.partition("?")[0])
    found = await _got(wire, target, posixpath.normpath(posixpath.join(folder, quote(name))))
    return found.body if found.succeeded else None


def _require_bounded(source: str, files: dict[str, bytes | None]) -> None:
    size = sum(len(content) for content in files.values() if content is not None)
    if len(files) > _MOST_FILES or size > _MOST_BYTES:
        raise UsageError(
            f"{source} refers to more files than are fetched: {_MOST_FILES} at most, of "
            f"{_MOST_BYTES / 1_000_000:.0f} MB together",
            hint="bundle it into one file, and set openapi under [target] to that",
        )


async def _got(wire: Wire, target: Target, path: str) -> Response:
    """The answer to a GET. Raises TargetUnreachable."""
    exchange = await wire.send(Request(method="GET", path=path))
    if isinstance(exchange.outcome, Failure):
        raise TargetUnreachable(
            f"{target.base_url} does not answer ({exchange.outcome})",
            hint="start the API, or correct base_url under [target] or --base-url",
        )
    return exchange.outcome
