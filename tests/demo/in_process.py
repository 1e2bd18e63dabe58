"""The demo without a process or a socket, on a clock that jumps over waits."""

import asyncio
import contextlib
import selectors
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from withstand.demo.app import create_app
from withstand.demo.flaws import plant
from withstand.demo.records import User
from withstand.demo.seed import IDENTITIES
from withstand.demo.server import plain_app
from withstand.demo.shop import Shop, opened

HTTPS_URL = "https://127.0.0.1:4430"


class InProcess:
    """One app; its client's requests return when answered, however long they would have taken."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        app = create_app(shop)
        self._app = app
        self._plain = plain_app(app, shop.planted, HTTPS_URL)
        self._loop = _JumpingLoop()

    def close(self) -> None:
        self._loop.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        as_: str | None = None,
        token: str | None = None,
        plain: bool = False,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """Sends a request as this identity or with this token; `plain` asks the HTTP side."""
        sent_headers = dict(headers or {})
        if as_ is not None:
            token = self.shop.tokens.issue(self.user(as_), lifetime_s=60)
        if token is not None:
            sent_headers["Authorization"] = f"Bearer {token}"

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self._plain if plain else self._app)
            base_url = "http://demo" if plain else "https://demo"
            async with httpx2.AsyncClient(transport=transport, base_url=base_url) as client:
                return await client.request(method, path, headers=sent_headers, **more)

        return self._loop.run_until_complete(send())

    def seconds(self, method: str, path: str, **more: Any) -> float:
        """How long the request waited on purpose, in the loop's own time."""
        before_s = self._loop.time()
        self.send(method, path, **more)
        return self._loop.time() - before_s

    def user(self, name: str) -> User:
        email = next(identity.email for identity in IDENTITIES if identity.name == name)
        user = self.shop.database.user_by_email(email)
        assert user is not None
        return user


@contextlib.contextmanager
def in_process(folder: Path, *flaws: str) -> Iterator[InProcess]:
    with (
        opened(folder, plant(flaws)) as shop,
        contextlib.closing(InProcess(shop)) as started,
    ):
        yield started


class _JumpingLoop(asyncio.SelectorEventLoop):
    """Where another loop would wait for its next timer, this one puts its clock forward."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now_s

    def jump(self, seconds: float) -> None:
        self._now_s += seconds


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: _JumpingLoop) -> None:
        super().__init__()
        self._jumping_loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._jumping_loop.jump(timeout)
            timeout = 0
        return super().select(timeout)
