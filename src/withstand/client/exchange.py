"""One request and its outcome: the value that every other part of Withstand speaks in.

Pure data. Times are readings of the monotonic clock in nanoseconds; only differences mean
anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is put on the wire, exactly as told.

    `path` is the raw request target below the host, with its query (`/users?limit=10`): nothing
    is normalised or escaped on the way. `headers` keep their order; Host, User-Agent,
    Accept-Encoding and Content-Length are added by the wire unless they are given here.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case; None without one."""
        return _header(self.headers, name)

    def with_header(self, name: str, value: str) -> "Request":
        """A copy in which the header has just this value."""
        return replace(self, headers=(*_without(self.headers, name), (name, value)))

    def without_header(self, name: str) -> "Request":
        """A copy without the header."""
        return replace(self, headers=_without(self.headers, name))

    @property
    def operation_path(self) -> str:
        """The path without its query."""
        return self.path.split("?", 1)[0]

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        return _json(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back: a complete HTTP response; `body` with content codings already undone.

    `accepted` is what the page says by which a website answers a write; None where none was read.
    After a redirect to a page of HTML the body is that page's, with the headers of the content, and
    its cookies are among those that are set; status and the other headers stay. `item_path` is
    then where the thing is that was written.
    """

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    accepted: bool | None = None
    item_path: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case; None without one."""
        return _header(self.headers, name)

    def header_values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx, or the page that answers a write says yes."""
        return self.accepted if self.accepted is not None else 200 <= self.status < 300

    @property
    def made_at(self) -> str | None:
        """The address of what was made: the Location, of a website's answer what its page tells."""
        return self.header("location") if self.accepted is None else self.item_path

    @property
    def media_type(self) -> str:
        """The media type in lower case without parameters; empty without a Content-Type."""
        return (self.header("content-type") or "").split(";", 1)[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        return _json(self.body)


class FailureKind(StrEnum):
    """Why a request got no response."""

    UNRESOLVED = "unresolved"  # the host name has no address
    REFUSED = "refused"  # nobody listens, or the network says no
    TLS = "tls"  # handshake or certificate
    TIMED_OUT = "timed-out"  # no connection or no complete response within the limit
    RESET = "reset"  # the connection ended before the response did
    MALFORMED = "malformed"  # what came back is not HTTP/1.1
    TOO_LARGE = "too-large"  # the response is longer than the client accepts
    EXHAUSTED = "exhausted"  # this machine has no descriptor or port left: not the API's failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An expected failure, as a value."""

    kind: FailureKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When it happened, in nanoseconds of the monotonic clock.

    `intended_ns` is when the request should have started, `sent_ns` when its last byte was handed
    to the kernel; `first_byte_ns` is None when nothing came back.
    """

    intended_ns: int
    sent_ns: int
    first_byte_ns: int | None
    end_ns: int

    @property
    def response_time_ns(self) -> int:
        """End minus intended start: what a user waits."""
        return self.end_ns - self.intended_ns

    @property
    def service_time_ns(self) -> int:
        """End minus send: what the server took."""
        return self.end_ns - self.sent_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request, who sent it, and what became of it."""

    request: Request
    outcome: Response | Failure
    timing: Timing
    identity: str | None = None  # the name of the identity whose credential it carried

    @property
    def response(self) -> Response | None:
        """The response, or None when the request failed."""
        return self.outcome if isinstance(self.outcome, Response) else None

    @property
    def status(self) -> int | None:
        """The status, or None when the request failed."""
        return self.outcome.status if isinstance(self.outcome, Response) else None

    @property
    def succeeded(self) -> bool:
        """Whether a response came back that is a success."""
        return isinstance(self.outcome, Response) and self.outcome.succeeded


def json_request(
    method: str, path: str, payload: object, headers: Mapping[str, str] | None = None
) -> Request:
    """A request with a JSON body; `headers` may name a more special Content-Type."""
    extra = tuple((headers or {}).items())
    body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
    request = Request(method=method, path=path, headers=extra, body=body)
    if request.header("content-type") is not None:
        return request
    return replace(request, headers=(("Content-Type", "application/json"), *extra))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _header(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def _without(headers: Headers, name: str) -> Headers:
    wanted = name.lower()
    return tuple((key, value) for key, value in headers if key.lower() != wanted)
