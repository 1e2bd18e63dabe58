"""The demo as a real process on a free port, and a client that holds it to its document."""

import contextlib
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx2

from withstand.demo.seed import IDENTITIES

from .conformance import Conformance

PASSWORD = "walks-by-the-sea"


@dataclass
class RunningDemo:
    """A server process that has said that it is ready."""

    process: "subprocess.Popen[str]"
    words: dict[str, str]
    _tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def client(self) -> httpx2.Client:
        ca_file = self.words.get("ca_file")
        verify = ssl.create_default_context(cafile=ca_file) if ca_file else True
        return httpx2.Client(base_url=self.words["url"], verify=verify, timeout=20)

    @cached_property
    def conformance(self) -> Conformance:
        return Conformance(self.client.get("/openapi.json").json())

    def request(
        self, method: str, path: str, *, as_: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Sends a request as this identity (or email), and checks the response's form."""
        headers = dict(more.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {self.token(as_)}"
        response = self.client.request(method, path, headers=headers, **more)
        self.conformance.check(response)
        return response

    def token(self, who: str) -> str:
        """The token of an identity by its name, or of a newcomer by their email."""
        if who not in self._tokens:
            passwords = {identity.name: identity.password for identity in IDENTITIES}
            emails = {identity.name: identity.email for identity in IDENTITIES}
            body = {"email": emails.get(who, who), "password": passwords.get(who, PASSWORD)}
            self._tokens[who] = self.client.post("/auth/token", json=body).json()["access_token"]
        return self._tokens[who]

    def newcomer(self) -> dict[str, Any]:
        """Signs somebody new up; their account, whose email works for `as_`."""
        body = {
            "email": f"{uuid4().hex}@example.com",
            "password": PASSWORD,
            "display_name": "New Comer",
        }
        account: dict[str, Any] = self.request("POST", "/users", json=body).json()
        return account


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[RunningDemo]:
    """A demo started with these arguments, stopped and waited for at the end."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "withstand.demo", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said, *words = shlex.split(process.stdout.readline())
            assert said == "ready"
            demo = RunningDemo(process, dict(word.split("=", 1) for word in words))
            yield demo
            demo.client.close()
        finally:
            process.terminate()
            process.wait(timeout=10)
