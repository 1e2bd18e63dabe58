"""The text of a user script, run against a server that remembers what it was asked."""

from pathlib import Path
from typing import Any

import pytest

from tests.load.script_server import Asked, ScriptServer
from withstand.client.loop import run
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile

MS = 1_000_000
OPEN = ConstantRate(rate_per_s=100, duration_s=0.3)
CLOSED = Closed(users=3, duration_s=0.3)
ONE_VISIT = ConstantRate(rate_per_s=10, duration_s=0.1)

both_models = pytest.mark.parametrize("profile", [OPEN, CLOSED], ids=["open", "closed"])

HEAD = """
import asyncio
from withstand.load import *
"""


class Load:
    """Runs the text of a script."""

    def __init__(self, server: ScriptServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def __call__(self, text: str, profile: Profile = ONE_VISIT, **options: Any) -> LoadMeasurement:
        file = self.folder / "shop.py"
        file.write_text(HEAD + text)
        options = {"timeout_s": 5.0} | options
        return run(run_load(self.server.target, load_script(file), profile, **options))

    def visit(self, body: str, *, plain: bool = False, **options: Any) -> LoadMeasurement:
        """One iteration by one user; the lines of an async def or, without await, a def."""
        if plain:
            body = body.replace("await ", "")
        lines = "\n    ".join(body.strip().splitlines())
        kind = "def" if plain else "async def"
        return self(f"@user\n{kind} visit(client):\n    {lines}\n", **options)


def check_books(measured: LoadMeasurement) -> None:
    """Every request is accounted for, once."""
    ended = sum(operation.requests for operation in measured.operations.values())
    assert ended + measured.unanswered == measured.offered
    for operation in measured.operations.values():
        assert operation.response_time.count == operation.requests
        assert operation.service_time.count == sum(operation.statuses.values())
        assert operation.error_time.count == operation.errors
        assert sum(operation.rejected.values()) == operation.unexpected


def one(measured: LoadMeasurement) -> OperationMeasurement:
    (operation,) = measured.operations.values()
    return operation


def raised(measured: LoadMeasurement) -> list[str]:
    assert measured.script is not None
    return list(measured.script.exceptions)


def said(measured: LoadMeasurement) -> str:
    assert measured.script is not None
    return "\n".join(measured.script.sentences())


def echoed(server: ScriptServer) -> list[Asked]:
    return [asked for asked in server.asked if asked.path.startswith("/echo")]
