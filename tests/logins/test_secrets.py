"""No secret of any kind of login is in anything that a scan shows or writes."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask, Response
from werkzeug.serving import make_server

from tests.logins.kinds import KINDS, Kind
from tests.logins.notebook import PASSWORDS, Notebook
from tests.logins.scanning import scanned_app
from withstand.cli import run
from withstand.scan.catalogue import check_named

Seen = list[str]


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The app on a socket of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def listening(app: Flask, handed_out: Seen) -> None:
    """Notes what the app hands out: tokens in its JSON, sessions in its cookies."""

    @app.after_request
    def note(response: Response) -> Response:
        for cookie in response.headers.getlist("Set-Cookie"):
            handed_out.append(cookie.partition("=")[2].partition(";")[0])
        body = response.get_json(silent=True) if response.is_json else None
        for name in ("token", "accessToken", "access_token"):
            if isinstance(body, dict) and isinstance(body.get(name), str):
                handed_out.append(body[name])
        if "X-Auth-Token" in response.headers:
            handed_out.append(response.headers["X-Auth-Token"])
        return response


def forms_of(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}


# The others differ from these only in where the secret stands, which the records are searched for.
OVER_SOCKETS = [
    kind
    for kind in KINDS
    if kind.name in {"flask-session", "php-like", "http-basic", "oauth-password"}
]


@pytest.mark.parametrize("kind", OVER_SOCKETS, ids=lambda kind: kind.name)
def test_no_secret_is_in_any_output(
    kind: Kind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    handed_out: Seen = []
    app, document, configured = kind.make(Notebook(leaky=True))
    listening(app, handed_out)
    outputs = scan_over_a_socket(app, document, kind.config, tmp_path, monkeypatch, capfd)

    assert "object-readable-by-other-user" in outputs["terminal"]
    assert "curl" in outputs["report.html"]
    secrets = {*PASSWORDS.values(), *configured, *(each for each in handed_out if len(each) > 8)}
    assert [
        (name, secret)
        for name, text in outputs.items()
        for secret in secrets
        if any(form in text for form in forms_of(secret))
    ] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_secret_is_in_the_record_from_which_everything_is_made(
    kind: Kind, tmp_path: Path
) -> None:
    handed_out: Seen = []
    app, document, configured = kind.make(Notebook(leaky=True))
    listening(app, handed_out)
    check = check_named("object-readable-by-other-user")
    record, _ = scanned_app(app, document, kind.config, tmp_path, checks=(check,))

    shown = repr(record)
    assert "$WITHSTAND_" in shown
    secrets = {*PASSWORDS.values(), *configured, *(each for each in handed_out if len(each) > 8)}
    assert [each for each in secrets if any(form in shown for form in forms_of(each))] == []


@pytest.mark.parametrize("kind", OVER_SOCKETS[:1], ids=lambda kind: kind.name)
def test_no_secret_is_in_the_error_of_who_cannot_log_in(
    kind: Kind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    book = Notebook()
    book.passwords["bob@example.com"] = "changed-meanwhile-11"
    app, document, configured = kind.make(book)
    outputs = scan_over_a_socket(app, document, kind.config, tmp_path, monkeypatch, capfd)

    secrets = {*PASSWORDS.values(), *configured}
    found = [s for s in secrets for text in outputs.values() if any(f in text for f in forms_of(s))]
    assert found == []


def scan_over_a_socket(
    app: Flask,
    document: dict[str, object],
    config: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> dict[str, str]:
    (folder / ".git").mkdir()
    (folder / "openapi.json").write_text(json.dumps(document))
    monkeypatch.chdir(folder)
    for name in ("WITHSTAND_BASE_URL", "WITHSTAND_OPENAPI"):
        monkeypatch.delenv(name, raising=False)
    with serving(app) as url:
        head = f'[target]\nbase_url = "{url}"\nopenapi = "openapi.json"\n'
        (folder / "withstand.toml").write_text(head + config)
        run(["scan", "--check", "object-readable-by-other-user", "--html", "report.html",
             "--json", "report.json"])  # fmt: skip
    printed = capfd.readouterr()
    written = {
        path.name: path.read_text() for path in folder.glob("report.*") if path.suffix != ".toml"
    }
    return {"terminal": printed.out + printed.err, **written}
