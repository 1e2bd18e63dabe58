"""Ended before the first check: the report says in which step, and that nothing was tested."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from .hostile_server import answer, serving

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Slow", "version": "1"},
    "paths": {
        "/login": {"post": {"responses": {}}},
        "/items": {"get": {"responses": {"200": {"description": "items"}}}},
        "/search": {"post": {"responses": {"200": {"description": "found"}}}},
    },
}
CONFIGURATION = """
[target]
base_url = "{url}"
[login]
request = "POST /login"
json = {{ email = "{{email}}", password = "{{password}}" }}
[identities]
alice = {{ role = "user", email = "alice@example.com", password = "alice-hunter2-secret" }}
"""
_CTRL_C = signal.SIGINT
_BEFORE = "it was interrupted before anything was tested"
_UNTESTED = "before anything was tested: the scan was interrupted"


@pytest.mark.parametrize(
    ("silent", "step", "number"),
    [
        ("/openapi.json", _BEFORE, _CTRL_C),
        pytest.param("/openapi.json", _BEFORE, signal.SIGTERM, marks=pytest.mark.slow),
        ("/login", f"while identities logged in and {_UNTESTED}", signal.SIGTERM),
        pytest.param(
            "/login",
            f"while identities logged in and {_UNTESTED}",
            _CTRL_C,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/items",
            f"while what the identities have was looked at and {_UNTESTED}",
            _CTRL_C,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/search",
            f"while requests that succeed were looked for and {_UNTESTED}",
            _CTRL_C,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_scan_that_is_interrupted_while_it_prepares_says_so_and_writes_its_files(
    folder: Path, silent: str, step: str, number: signal.Signals
) -> None:
    reached, over = threading.Event(), threading.Event()

    def behave(connection: socket.socket, path: str) -> None:
        if path == silent:
            reached.set()
            over.wait(60)
        elif path == "/openapi.json":
            answer(connection, 200, json.dumps(DOCUMENT).encode())
        else:
            answer(connection, 200, b'{"access_token": "a-token-of-alice"}')

    with serving(behave) as url:
        (folder / "withstand.toml").write_text(CONFIGURATION.format(url=url))
        with subprocess.Popen(
            [
                *(sys.executable, "-c", "from withstand.cli import main; main()"),
                *("scan", "--json", "run.json", "--sarif", "run.sarif"),
            ],
            cwd=folder,
            env={**os.environ, "CI": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert reached.wait(60)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            over.set()

    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    kept = json.loads((folder / "run.json").read_text())
    assert kept["interrupted"] is True
    if kept["scan"] is None:
        assert kept["void_runs"] == [{"verb": "scan", "reason": step, "shard": None}]
    else:
        assert step in " ".join(out.split())
        assert step in " ".join(kept["scan"]["notes"])
    assert (folder / "run.sarif").exists()
