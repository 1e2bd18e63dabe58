"""What a case is, and the usual kinds of them.

Nothing is imported here that patches the process, so that the tests may list the cases; what a case
needs of gevent or of Locust, its `Bench` has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

TIMEOUT_S: Final = 0.06


class Bench(Protocol):
    """A user of its own for each case, and what looks at it."""

    user: Any
    client: Any
    environment: Any
    authority: str
    client_certificate: tuple[str, str]

    def url(self, path: str, *, port: str = "main", host: str = "127.0.0.1") -> str:
        """An absolute address on one of the server's ports."""

    def show(self, do: Callable[[], Any]) -> Any:
        """Do it, and note the response or the exception. Returns the response."""

    def note(self, what: Any) -> None:
        """Note something that has a repr."""

    def together(self, *what: Callable[[], Any]) -> None:
        """Do several things in greenlets of their own, and wait for all."""

    def killed(self, do: Callable[[], Any]) -> None:
        """Do it in a greenlet that is killed meanwhile."""

    def out_of_time(self, do: Callable[[], Any]) -> None:
        """Do it within a gevent.Timeout that runs out."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """`host` is that of the user. Ports stand in braces, by their names. `connections` is whether
    requests have to come over the same connections: where some of them are left to requests, which
    has connections of its own, they cannot.
    """

    do: Callable[[Bench], None]
    connections: bool = False
    host: str = "http://127.0.0.1:{main}"
    context: bool = False  # whether the user has a context of its own


CASES: Final[dict[str, Case]] = {}


def case(
    name: str,
    *,
    host: str = "http://127.0.0.1:{main}",
    context: bool = False,
    connections: bool = False,
) -> Callable[[Callable[[Bench], None]], None]:
    def add(do: Callable[[Bench], None]) -> None:
        assert name not in CASES, name
        CASES[name] = Case(do=do, host=host, context=context, connections=connections)

    return add


def shown(
    name: str,
    *requests: Callable[[Any], Any],
    host: str = "http://127.0.0.1:{main}",
    connections: bool = False,
) -> None:
    """A case that shows the responses to such requests of a client, one after the other."""

    def do(bench: Bench) -> None:
        for request in requests:
            bench.show(lambda request=request: request(bench.client))  # type: ignore[misc]

    case(name, host=host, connections=connections)(do)


def changed(name: str, change: Callable[[Any], Any], *, host: str | None = None) -> None:
    """A case that makes requests before and after a change to the client."""

    def do(bench: Bench) -> None:
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: change(bench.client))
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: bench.client.post("/b/cookie", json={"a": 1}))
        bench.show(lambda: bench.client.get("/b/302"))
        bench.show(lambda: bench.client.get("/b/404"))

    case(name, host=host or "http://127.0.0.1:{main}")(do)


def caught(client: Any, path: str) -> Any:
    with client.get(path, catch_response=True) as response:
        if response.status_code >= 400:
            response.success()
        else:
            response.failure("not wanted")
    return response
