"""Every answer, to requests of every kind."""

import re
from collections.abc import Callable
from typing import Any, Final

from tests.locust_plugin.misbehaving_answers import BROKEN, HANGING, PLAIN, REDIRECTS

from .case import TIMEOUT_S, Bench, case, caught, shown


def _streamed(bench: Bench, path: str) -> None:
    def read() -> Any:
        response = bench.client.get(path, stream=True)
        bench.note((response.status_code, response.raw.closed, list(response.iter_content(4))))
        response.close()

    bench.show(read)
    bench.show(lambda: list(bench.client.get(path, stream=True).iter_lines()))


def _over_tls(bench: Bench, path: str) -> None:
    bench.client.verify = bench.authority
    for _ in range(2):
        bench.show(lambda: bench.client.get(path))


_KINDS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "get": lambda client, path: client.get(path),
    "head": lambda client, path: client.head(path),
    "post": lambda client, path: client.post(path, json={"a": 1}),
    "unfollowed": lambda client, path: client.get(path, allow_redirects=False),
    "caught": caught,
}


_ABOUT_CONNECTIONS: Final = re.compile(
    "plain|piece|large|chunk|close|reset|http-1.0|interim|gzip|split|extra|garbage|30[12]$|until"
)
_STREAMED: Final = ("plain", "large", "gzip", "chunked", "302", "closes-in-body", "gzip-corrupted")
_LEFT_TO_REQUESTS: Final = ("chunked-and-length", "interim-102", "interim-103")


def _tells(answer: str, kind: str) -> bool:
    """Whether an answer tells something more with requests of this kind."""
    if kind == "tls":
        return bool(_ABOUT_CONNECTIONS.search(answer))
    if kind in ("get", "head") or answer == "plain":
        return True
    if kind == "unfollowed" or answer in REDIRECTS:
        return answer in REDIRECTS
    return answer[:1].isdigit() or answer.startswith(("closes-", "cookie"))


def _add_answers() -> None:
    for answer in (*PLAIN, *REDIRECTS, *BROKEN):
        path = f"/b/{answer}"
        for kind, request in _KINDS.items():
            if not _tells(answer, kind):
                continue
            # Twice, since a head that came before is known again; and another answer after it,
            # since the connection may have been left in a bad state.
            again = [lambda client, request=request, path=path: request(client, path)] * 2
            shown(
                f"{kind}-{answer}",
                *again,
                lambda client: client.get("/hello"),
                connections=answer in PLAIN and answer not in _LEFT_TO_REQUESTS,
            )
        if answer in _STREAMED:
            case(f"streamed-{answer}")(lambda bench, path=path: _streamed(bench, path))  # type: ignore[misc]
        if not _tells(answer, "tls"):
            continue
        case(f"tls-{answer}", host="https://127.0.0.1:{tls}")(
            lambda bench, path=path: _over_tls(bench, path)  # type: ignore[misc]
        )
    for answer in HANGING:
        for method in ("GET", "HEAD"):
            shown(
                f"{method.lower()}-{answer}",
                *[
                    lambda client, method=method, path=path: client.request(
                        method, path, timeout=TIMEOUT_S
                    )
                    for path in (f"/b/{answer}", "/hello")
                ],
            )


_add_answers()
shown("whole-answer-to-head", lambda client: client.head("/b/whole-to-head"))
shown("connection-counter", *[lambda client: client.get("/b/count")] * 4, connections=True)
shown("rolling-cookie", *[lambda client: client.get("/b/rolling")] * 4, connections=True)
