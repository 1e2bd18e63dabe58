"""What the verbs that put load on an API share: what is sent, and how it is promised."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import click

from withstand.client.exchange import Request
from withstand.errors import UsageError
from withstand.settings import Settings
from withstand.units import parse_duration_ns

F = TypeVar("F", bound=Callable[..., Any])
_IN_A_REQUEST_LINE = "!#$%&'()*+,-./:;=?@[]_~|^`{}\\\"<>"


def traffic_options(function: F) -> F:
    """Which requests are sent, over what."""
    for option in reversed(
        (
            click.option(
                "--openapi", metavar="DOCUMENT", help="The OpenAPI document: a file, URL or path."
            ),
            click.option(
                "-o",
                "--operation",
                "operations",
                multiple=True,
                metavar="KEY",
                help='Load this operation, such as "GET /users" or "GET *"; "GET /users=3" sends '
                "it three times as often as one without a weight. Repeatable. Default: every GET "
                "of the document. Operations that write are sent only when they are named here.",
            ),
            click.option(
                "--connections",
                type=click.IntRange(min=1),
                help="Most connections at once; of a user script with --rate, most virtual users.",
            ),
            click.option(
                "--timeout",
                metavar="TIME",
                help="Longest wait for an answer. Default: timeout under [target] in the "
                "configuration, or 30s.",
            ),
        )
    ):
        function = option(function)
    return function


def slo_option(examples: str) -> Callable[[F], F]:
    """`--slo`, with the objectives that the verb can judge as examples."""
    return click.option(
        "--slo",
        "slos",
        multiple=True,
        metavar="OBJECTIVE",
        help=f'An objective: {examples}, or for one operation "GET /users: p99<300ms". '
        "Repeatable. Replaces those of the configuration.",
    )


def require_one_target(
    url: str | None, base_url: str | None, openapi: str | None, operations: tuple[str, ...]
) -> None:
    """Raises UsageError where an address and a document are both given."""
    if url is not None and (openapi is not None or operations):
        raise UsageError(
            f"{url} is one address, and --openapi and --operation choose from a document",
            hint="give the address alone, or -H and the operations",
        )
    if url is not None and base_url is not None:
        raise UsageError(
            f"{url} says where the API is, and so does -H {base_url}", hint="give one of the two"
        )


def request_for(url: str) -> Request:
    """The GET of an address."""
    return Request(method="GET", path=path_of(url), headers=(("Accept", "*/*"),))


def timeout_s(text: str | None, settings: Settings) -> float:
    """The longest wait for an answer: the flag's, or the configuration's. Raises UsageError."""
    if text is None:
        return settings.timeout_s
    seconds = parse_duration_ns(text) / 1e9
    if seconds <= 0:
        raise UsageError(f"--timeout {text} leaves no time for an answer", hint="such as 10s")
    return seconds


def origin_of(url: str | None, *, example: str = "http://127.0.0.1:8000/health") -> str | None:
    """Scheme and authority of an address. Raises UsageError."""
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise UsageError(f"{url!r} is no address", hint=f"write it out: {example}")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"


def path_of(url: str) -> str:
    """Everything after the authority."""
    origin = origin_of(url) or ""
    path = url[len(origin) :].partition("#")[0]
    # Only what cannot be in a request line is escaped: the rest was written as it is meant.
    return quote(path if path.startswith("/") else f"/{path}", safe=_IN_A_REQUEST_LINE)
