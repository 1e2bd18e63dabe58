"""The HTTP client that tests hold: an httpx2 client on the target that acts as one identity."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2

from withstand.client.exchange import Headers
from withstand.client.identity import Credential
from withstand.client.target import Target


class ApiClient(httpx2.Client):
    """Sends the credential of one identity, unless a call says `headers=` itself.

    An explicit `headers=` replaces the credential and the cookies that the server has set:
    `headers={}` is anonymous, `headers={"Authorization": "Bearer …"}` is just that. The credential
    goes to the target alone, also when a call names or is redirected to another host.
    """

    def __init__(
        self,
        *,
        target: Target,
        credential: Credential | None,
        on_elapsed_ns: Callable[[int], None] | None = None,
        **options: Any,
    ) -> None:
        self._credential: Headers = credential.headers if credential is not None else ()
        self._query: Headers = credential.query if credential is not None else ()
        session = dict(credential.cookies) if credential is not None else {}
        self._origin = _origin(target.base_url)
        self._on_elapsed_ns = on_elapsed_ns
        hooks = options.pop("event_hooks", {})
        super().__init__(
            base_url=target.base_url,
            verify=options.pop("verify", verification(target)),
            # A proxy from the environment has no business between this machine and itself.
            trust_env=options.pop("trust_env", not target.is_loopback),
            event_hooks={**hooks, "request": [*hooks.get("request", ()), self._keep_at_home]},
            **options,
        )
        host = urlsplit(target.base_url).hostname or ""
        for name, value in session.items():
            self.cookies.set(name, value, domain=_cookie_domain(host))

    def build_request(
        self,
        method: str,
        url: httpx2.URL | str,
        *,
        headers: Any = None,
        cookies: Any = None,
        params: Any = None,
        **arguments: Any,
    ) -> httpx2.Request:
        """The request that `request`, `get`, `stream` and the rest send."""
        chosen: Any = list(self._credential) if headers is None else headers
        request = super().build_request(
            method, url, headers=chosen, cookies=cookies, params=params, **arguments
        )
        if headers is None and self._query and _origin(str(request.url)) == self._origin:
            request.url = request.url.copy_merge_params(dict(self._query))
        if headers is not None and cookies is None and "cookie" not in httpx2.Headers(headers):
            request.headers.pop("cookie", None)
        return request

    def send(self, request: httpx2.Request, **arguments: Any) -> httpx2.Response:
        """Sends a request; how long the answer took is noted where a test measures."""
        started_ns = time.perf_counter_ns()
        try:
            return super().send(request, **arguments)
        finally:
            if self._on_elapsed_ns is not None:
                self._on_elapsed_ns(time.perf_counter_ns() - started_ns)

    def _keep_at_home(self, request: httpx2.Request) -> None:
        if _origin(str(request.url)) != self._origin:
            for name, value in self._credential:
                if request.headers.get(name) == value:
                    del request.headers[name]


def verification(target: Target) -> Any:
    """What httpx2 takes for `verify`: a context with the extra authority, or a yes or no."""
    if not target.verify or target.ca_file is None:
        return target.verify
    import ssl

    context = ssl.create_default_context()
    context.load_verify_locations(target.ca_file)
    return context


def _cookie_domain(host: str) -> str:
    """The domain under which `http.cookiejar` sends a cookie back to a host without dots too."""
    return host if "." in host or ":" in host else f"{host}.local"


def _origin(url: str) -> Sequence[object]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
