"""A project to run pytest in, and a small API to run it against."""

import base64
import hashlib
import hmac
import json
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import withstand.pytest_plugin
from withstand.pytest_plugin import repetition
from withstand.scan.catalogue import all_checks
from withstand.slo import rota

# pytester takes back what its runs in this process import. What the plugin loads on demand would be
# loaded anew in each of them: half of what a short run costs.
for _module in pkgutil.iter_modules(withstand.pytest_plugin.__path__, "withstand.pytest_plugin."):
    import_module(_module.name)
import_module("withstand.settings.files")
import_module("uvloop")
all_checks()

PASSWORDS = {
    "alice@example.com": "alice-hunter2-secret",
    "bob@example.com": "bob-hunter2-secret",
    "root@example.com": "root-hunter2-secret",
}
_KEY = b"the key of the test API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the API got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class LoginApi:
    """A running API: who asked what, and where it listens."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    lifetime_s: int = 3600

    @property
    def logins(self) -> list[str]:
        """The e-mail addresses that asked for a token, in order."""
        return [
            json.loads(request.body)["email"]
            for request in self.seen
            if request.path == "/auth/token"
        ]

    @property
    def authorizations(self) -> list[str | None]:
        """The Authorization header of every request but the logins."""
        return [
            request.headers.get("authorization")
            for request in self.seen
            if request.path != "/auth/token"
        ]

    def configuration(self, *, login: str = "", identities: str | None = None) -> str:
        """A withstand.toml for this API; `login` adds lines to that table."""
        if identities is None:
            identities = "\n".join(
                f'{email.split("@")[0]} = {{ role = "{_role(email)}", email = "{email}", '
                f'password = "{password}" }}'
                for email, password in PASSWORDS.items()
            )
        return (
            f'[target]\nbase_url = "{self.url}"\n'
            '[login]\nrequest = "POST /auth/token"\n'
            'json = { email = "{email}", password = "{password}" }\n'
            f'token = "$.access_token"\n{login}\n[identities]\n{identities}\n'
        )


@pytest.fixture
def login_api() -> Iterator[LoginApi]:
    """An API that gives tokens, knows whose they are, and remembers every request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    api = LoginApi(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.api = api  # type: ignore[attr-defined]  # the handler has no other way to it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.server_close()


RunProject = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A directory whose pytest runs have this plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    for module in (repetition, rota):  # a second, before a breach has to show again
        monkeypatch.setattr(module, "_PAUSE_S", 0.05)
    pytester.makeini("[pytest]\nstrict_markers = true\nstrict_config = true\n")
    return pytester


@pytest.fixture
def run(project: pytest.Pytester) -> RunProject:
    """Runs pytest on the project in this process."""

    def run_here(*arguments: str) -> pytest.RunResult:
        return project.runpytest_inprocess(
            *("-p", "withstand.pytest_plugin", "-p", "no:cacheprovider"),
            # pytest before 9.1: in this process the plugin is imported already.
            *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
            *arguments,
        )

    return run_here


@pytest.fixture
def run_parallel(project: pytest.Pytester) -> RunProject:
    """Runs pytest on the project in a process of its own, with the workers of pytest-xdist."""

    def run_apart(*arguments: str) -> pytest.RunResult:
        return project.runpytest_subprocess(
            "-p", "xdist", "-p", "withstand.pytest_plugin", "-p", "no:cacheprovider",
            *(arguments if any(a.startswith("-n") for a in arguments) else ("-n2", *arguments)),
            timeout=60,
        )  # fmt: skip

    return run_apart


def write_configuration(project: pytest.Pytester, text: str) -> Path:
    """Puts a withstand.toml beside the tests."""
    file = project.path / "withstand.toml"
    file.write_text(text, encoding="utf-8")
    return file


def token_of(email: str, *, lifetime_s: float = 3600) -> str:
    """A token that the API accepts."""
    head = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = {"sub": email, "exp": int(time.time() + lifetime_s), "jti": time.perf_counter_ns()}
    body = _base64url(json.dumps(claims).encode())
    return f"{head}.{body}.{_signature(f'{head}.{body}')}"


def _role(email: str) -> str:
    return "admin" if email.startswith("root") else "user"


def _owner(authorization: str | None) -> str | None:
    head, _, signature = (authorization or "").removeprefix("Bearer ").rpartition(".")
    if not head or not hmac.compare_digest(_signature(head), signature):
        return None
    claims = json.loads(base64.urlsafe_b64decode(head.split(".")[1] + "=="))
    return claims["sub"] if time.time() < claims["exp"] else None


def _signature(text: str) -> str:
    return _base64url(hmac.new(_KEY, text.encode(), hashlib.sha256).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one segment for head and body: else each answer waits for a delayed ACK

    def do_GET(self) -> None:
        self._note(b"")
        if self.path == "/session":
            self._answer(200, {"ok": True}, ("Set-Cookie", "sid=from-the-server; Path=/"))
        elif self.path.startswith("/elsewhere?"):
            self._answer(302, {}, ("Location", self.path.partition("?")[2]))
        else:
            who = _owner(self.headers.get("Authorization"))
            self._answer(200 if who else 401, {"email": who})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(body)
        asked = json.loads(body)
        if PASSWORDS.get(asked["email"]) != asked["password"]:
            self._answer(401, {"detail": "no"})
            return
        lifetime_s = asked.get("expires_in", self._api.lifetime_s)
        self._answer(200, {"access_token": token_of(asked["email"], lifetime_s=lifetime_s)})

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the output belongs to the tests."""

    @property
    def _api(self) -> LoginApi:
        api = self.server.api  # type: ignore[attr-defined]  # set by the fixture
        assert isinstance(api, LoginApi)
        return api

    def _note(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._api.seen.append(Seen(method=self.command, path=self.path, headers=headers, body=body))

    def _answer(self, status: int, document: object, *headers: tuple[str, str]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
