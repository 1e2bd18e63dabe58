"""The command line against the real demo."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.demo.running import RunningDemo
from withstand.cli import run
from withstand.demo.config import render
from withstand.load import generator
from withstand.scan.access import ownership
from withstand.scan.checks.authentication import token_after_logout
from withstand.scan.probes import weak_secrets
from withstand.scan.wire import patience
from withstand.slo import rota

Invoke = Callable[..., "Outcome"]


class Outcome:
    """What one command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def said(self) -> str:
        """Everything it printed, on one line as far as wrapping goes."""
        return " ".join((self.out + self.err).split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, as the working directory."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("WITHSTAND_BASE_URL", "WITHSTAND_OPENAPI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(weak_secrets, "MOST_DIGITS", 3)  # a million numbers take seconds
    monkeypatch.setattr(rota, "_PAUSE_S", 0.05)  # a second, before a breach has to show again
    # How long an API may take to show what was done, or a server to come back: these do it at once.
    monkeypatch.setattr(ownership, "_SETTLED_AFTER_S", 0.05)
    monkeypatch.setattr(token_after_logout, "_REFRESH_WAIT_S", 0.05)
    monkeypatch.setattr(patience, "_FIRST_BACK_OFF_S", 0.05)
    # A busy machine holds short loads up at their end: no reason to void what is tested here.
    monkeypatch.setattr(generator, "MIN_SENT_SHARE", 0.5)
    return tmp_path


@pytest.fixture
def invoke(folder: Path, capsys: pytest.CaptureFixture[str]) -> Invoke:
    """`invoke("scan", "--quiet")` runs a command line in the folder."""

    def invoked(*arguments: str) -> Outcome:
        code = run(list(arguments))
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return invoked


def config_of(demo: RunningDemo) -> str:
    """The withstand.toml for a running demo."""
    plain = demo.words.get("http_url")
    return render(
        port=urlsplit(demo.words["url"]).port or 0,
        https=plain is not None,
        http_port=urlsplit(plain).port if plain else None,
        ca_file=demo.words.get("ca_file"),
    )
