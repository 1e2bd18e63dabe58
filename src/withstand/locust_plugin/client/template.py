"""The part of a request that is the same each time, made once by the library that is stood in for.

So the bytes that are sent are those that requests would send: same headers, same order.
"""

import re
from typing import Any, Final

from requests import Request, Session
from requests.auth import HTTPBasicAuth

_MAX_KNOWN: Final = 256
_LEFT_TO_REQUESTS: Final = frozenset(
    ("host", "transfer-encoding", "expect", "te", "upgrade", "proxy-authorization")
)
_PLAIN_VALUE: Final = re.compile(r"(?:\S[^\r\n]*)?\Z")
_NEEDED: Final = frozenset(("user-agent", "accept-encoding"))
NO_BODY: Final[dict[str, Any]] = {}
JSON: Final[dict[str, Any]] = {"json": [1]}
FORM: Final[dict[str, Any]] = {"data": {"a": "b"}}
TEXT: Final[dict[str, Any]] = {"data": "a"}
BYTES: Final[dict[str, Any]] = {"data": b"a"}


_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class OfText(bytes):
    """A request whose body was given as text, which it is to whoever looks at it."""


class Template:
    """Headers in three parts: before the Cookie header, between it and the Content-Length (whose
    number is left to fill in), after that; the last is None where there is no Content-Length.
    """

    __slots__ = ("after", "before", "between")

    def __init__(self, before: bytes, between: bytes, after: bytes | None) -> None:
        self.before = before
        self.between = between
        self.after = after

    def around(self, method: str, head: bytes, cookie: str) -> tuple[bytes, bytes | None]:
        """What comes before the number of the body's bytes, and after it; None: there is none."""
        cookies = f"Cookie: {cookie}\r\n".encode("latin-1") if cookie else b""
        length = b"" if self.after is None else b"Content-Length: "
        return (
            b"".join((method.encode("ascii"), head, self.before, cookies, self.between, length)),
            self.after,
        )


def template(session: Session, method: str, headers: Any, body: dict[str, Any]) -> Template | None:
    """The template of a session's requests with such headers and such a kind of body; None where
    requests itself has to send them.
    """
    if not _is_basic(session.auth) or not _TOKEN.match(method):
        return None
    prepared = session.prepare_request(
        Request(method, "http://host/", headers=headers, cookies={"withstand": "1"}, **body)
    )
    names = {name.lower() for name in prepared.headers}
    given = {str(name).lower() for name in headers or ()} | {
        name.lower() for name in session.headers
    }
    if names & _LEFT_TO_REQUESTS or not names >= _NEEDED or given & {"cookie", "content-length"}:
        return None
    if str(prepared.headers.get("Connection", "keep-alive")).lower() != "keep-alive":
        return None
    parts: list[list[bytes]] = [[], [], []]
    place = 0
    for name, value in prepared.headers.items():
        if name == "Cookie":
            place = 1
        elif name == "Content-Length":
            place = 2
        else:
            if type(name) is not str or type(value) is not str:  # as which it is seen afterwards
                return None
            parts[place].append(f"{name}: {value}\r\n".encode("latin-1"))
    before, between, after = (b"".join(part) for part in parts)
    if place == 2:
        return Template(before, between, after + b"\r\n")
    return Template(before, between + b"\r\n", None)


def _is_basic(auth: Any) -> bool:
    if auth is None or type(auth) is HTTPBasicAuth:
        return True
    return isinstance(auth, tuple) and len(auth) == 2


class Templates:
    """The templates of one session."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Template | None] = {}

    def find(
        self, session: Session, method: str, headers: Any, body: dict[str, Any]
    ) -> Template | None:
        """The template for a request."""
        key = (method, id(body), tuple(headers.items()) if headers else None)
        try:
            return self._known[key]
        except KeyError:
            pass
        except TypeError:  # a header's value that is no text
            return None
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        found = self._known[key] = filled(session, method, headers, body)
        return found


class _Shape:
    """A template whose values before the Cookie header are left open. `places` has a header's name
    as it is sent, its lower case, and its name in the headers of the request; None in the last
    place for one of the session's.
    """

    __slots__ = ("places", "template")

    def __init__(self, template: Template, places: tuple[tuple[str, str, str | None], ...]) -> None:
        self.template = template
        self.places = places


_shapes: dict[tuple[Any, ...], _Shape | None] = {}


def filled(session: Session, method: str, headers: Any, body: dict[str, Any]) -> Template | None:
    """A template, made of one with other values in the same headers where there is one.

    Tokens and ids change from user to user or from request to request. What requests makes of the
    names is the same each time, and takes it a hundred times as long as filling in.
    """
    if session.auth is not None or (headers and type(headers) is not dict):
        return template(session, method, headers, body)
    key = (method, id(body), tuple(headers or ()), tuple(session.headers))
    try:
        shape = _shapes[key]
    except KeyError:
        made = template(session, method, headers, body)
        if len(_shapes) >= _MAX_KNOWN:
            _shapes.clear()
        _shapes[key] = _shape_of(made, session, headers or {})
        return made
    if shape is None:
        return template(session, method, headers, body)
    of_session = {name.lower(): value for name, value in session.headers.items()}
    lines = []
    for name, lower, in_request in shape.places:
        value = of_session[lower] if in_request is None else headers[in_request]
        if type(value) is not str or not _PLAIN_VALUE.match(value):
            return template(session, method, headers, body)
        if lower == "connection" and value.lower() != "keep-alive":
            return None
        lines.append(f"{name}: {value}\r\n")
    like = shape.template
    return Template("".join(lines).encode("latin-1"), like.between, like.after)


def _shape_of(made: Template | None, session: Session, headers: dict[str, Any]) -> _Shape | None:
    """The shape of a template; None where a value in it is not that of its header as given."""
    if made is None:
        return None
    in_request = {name.lower(): name for name in headers}
    of_session = {name.lower(): value for name, value in session.headers.items()}
    if len(in_request) < len(headers) or len(of_session) < len(session.headers):
        return None
    places = []
    for line in made.before.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(": ")
        lower = name.lower()
        given = headers[in_request[lower]] if lower in in_request else of_session.get(lower)
        if given != value:
            return None
        places.append((name, lower, in_request.get(lower)))
    if in_request.keys() - {lower for _, lower, _ in places}:
        return None  # one that was left out, or went elsewhere
    return _Shape(made, tuple(places))
