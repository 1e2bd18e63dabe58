"""What happens around every operation: failures, sizes, and the flaw that leaks memory."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from withstand.demo.problems import log, problem_response

MAX_BODY_BYTES = 64 * 1024


class GenericFailures:
    """Answers an unhandled exception with a 500 that says nothing, and logs it in one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            log.error("500 for %s %s: %r", scope["method"], scope["path"], error)
            if started:
                raise
            await problem_response(500)(scope, receive, send)


class BodyLimit:
    """Refuses a body above MAX_BODY_BYTES with 413, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received_bytes = 0
        announced = Headers(scope=scope).get("content-length", "0")
        announced_bytes = int(announced) if announced.isdecimal() else 0

        async def receive_bounded() -> Message:
            nonlocal received_bytes
            if announced_bytes > MAX_BODY_BYTES:
                raise HTTPException(413)
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_bounded, send)


class RedirectToHttps:
    """The whole of the plain-HTTP side of an HTTPS server."""

    def __init__(self, https_url: str) -> None:
        """`https_url` has no trailing slash. A request's Host is not trusted to name the target."""
        self._https_url = https_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        target = self._https_url + (path if path.startswith("/") else "/")
        if query:
            target += "?" + query
        await RedirectResponse(target, status_code=308)(scope, receive, send)


class ApprovedPreflights:
    """The flaw "preflights-approved-for-everybody": whoever asks beforehand hears yes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if scope.get("method") != "OPTIONS" or "access-control-request-method" not in asked:
            await self._app(scope, receive, send)
            return
        headers = {
            "Access-Control-Allow-Origin": asked.get("origin", "*"),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Vary": "Origin",
        }
        await Response(status_code=204, headers=headers)(scope, receive, send)


class MemoryLeak:
    """The flaw "memory-leak": some memory is kept for each request and never looked at again."""

    KEPT_BYTES = 64 * 1024
    # The demo shall show a leak, not exhaust the machine it runs on.
    MAX_KEPT_BYTES = 1024**3

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self._kept) * self.KEPT_BYTES < self.MAX_KEPT_BYTES:
            # Not zeros: the system gives those out without using any memory.
            self._kept.append(b"\xa5" * self.KEPT_BYTES)
        await self._app(scope, receive, send)
