"""Scans of Flask apps without a socket: WSGI calls behind the scripted transport."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from werkzeug.test import Client, EnvironBuilder

from tests.logins.kinds import Kind
from tests.logins.notebook import Notebook
from withstand.client.exchange import Exchange, Request, Response
from withstand.client.scripted import Scripted
from withstand.openapi.document import read_document
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Check
from withstand.scan.records.record import ScanRecord
from withstand.scan.scanner import scan
from withstand.settings import load_settings
from withstand.settings.plans import scan_plan

URL = "http://127.0.0.1:9"


def served(app: Flask) -> Callable[[Request], Response]:
    """The app as a function; no cookie stays from one request to the next."""

    def answer(request: Request) -> Response:
        path, _, query = request.path.partition("?")
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            method=request.method,
            headers=list(request.headers),
            data=request.body or None,
            base_url=URL,
        )
        try:
            got = Client(app, use_cookies=False).open(builder)
        finally:
            builder.close()
        return Response(
            status=got.status_code, headers=tuple(got.headers.items()), body=got.get_data()
        )

    return answer


def scanned(
    kind: Kind,
    book: Notebook,
    folder: Path,
    *,
    checks: tuple[Check, ...] | None = None,
    config: str | None = None,
) -> tuple[ScanRecord, tuple[Exchange, ...]]:
    """The record of a scan of the kind's API, and all that was sent."""
    app, document, _ = kind.make(book)
    return scanned_app(
        app, document, kind.config if config is None else config, folder, checks=checks
    )


def scanned_app(
    app: Flask,
    document: dict[str, object],
    config: str,
    folder: Path,
    *,
    checks: tuple[Check, ...] | None = None,
) -> tuple[ScanRecord, tuple[Exchange, ...]]:
    """The same for any app."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "withstand.toml").write_text(f'[target]\nbase_url = "{URL}"\n{config}')
    settings = load_settings(start=folder, environ={})
    api = read_document(json.dumps(document).encode(), source="notebook.json")
    plan = scan_plan(
        settings, settings.target(), api, checks=all_checks() if checks is None else checks
    )
    transport = Scripted(served(app))
    return asyncio.run(scan(plan, transport)), tuple(transport.exchanges)
