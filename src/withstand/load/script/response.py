"""What a user script gets for a request. Pure, and lazy: most responses are only glanced at."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from withstand.client.exchange import Failure, Headers
from withstand.client.exchange import Response as Decoded
from withstand.client.identity import json_path
from withstand.client.raw_response import RawResponse, parsed, plain_body
from withstand.client.wire_format import response_of
from withstand.load.script.count import Ticket

MAX_BODY_BYTES: Final = 64_000_000
_NS_PER_S: Final = 1_000_000_000


class RequestFailed(Exception):  # noqa: N818 - it tells what happened, as `Failure` does
    """A request got no response: refused, timed out, reset … It is counted already.

    Left alone it ends the iteration, and the user goes on with the next one.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.kind = failure.kind
        self.detail = failure.detail


class ResponseUnexpected(Exception):  # noqa: N818 - as above
    """A response that counts as an error; raised by `raise_for_status`. It is counted already."""


class ResponseHeaders(Mapping[str, str]):
    """The headers of a response; names in any case. Several values of one are joined by `, `."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._headers))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._headers})

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self._headers if key.lower() == wanted)


class Response:
    """A complete response.

    `status` is its status; `name` what the report calls the request; `ok` whether it counts as no
    error: its status was expected, and nobody has called `fail`. `path` is the path that answered
    with its query, which a redirect may have changed.
    """

    __slots__ = (
        "__dict__",
        "_end_ns",
        "_intended_ns",
        "_raw",
        "_sent_ns",
        "_ticket",
        "status",
    )

    ok: bool = True  # of the class, until one is not: what is not set costs nothing

    def __init__(
        self,
        status: int,
        raw: bytes,
        ticket: Ticket,
        intended_ns: int,
        sent_ns: int,
        end_ns: int,
    ) -> None:
        self.status = status
        self._raw = raw
        self._ticket = ticket
        self._intended_ns = intended_ns
        self._sent_ns = sent_ns
        self._end_ns = end_ns

    def __repr__(self) -> str:
        return f"<Response {self.status} of {self.name}>"

    @property
    def name(self) -> str:
        """What the report calls the request."""
        return self._ticket.count.recorder.operation

    @property
    def path(self) -> str:
        """The path that answered, with its query."""
        return self._ticket.path

    @property
    def elapsed_s(self) -> float:
        """The response time: from when the request was due to its last byte."""
        return (self._end_ns - self._intended_ns) / _NS_PER_S

    @property
    def service_time_s(self) -> float:
        """From the send to the last byte."""
        return (self._end_ns - self._sent_ns) / _NS_PER_S

    @cached_property
    def _parsed(self) -> RawResponse:
        return parsed(self._raw)

    @cached_property
    def _decoded(self) -> Decoded:
        decoded = response_of(
            status=self.status,
            reason=self._parsed.reason,
            raw_headers=self._parsed.headers,
            body=self._parsed.body,
            max_body_bytes=MAX_BODY_BYTES,
        )
        if isinstance(decoded, Failure):
            raise ValueError(decoded.detail)
        return decoded

    @property
    def reason(self) -> str:
        """The words after the status."""
        return self._decoded.reason

    @cached_property
    def headers(self) -> ResponseHeaders:
        """The headers; names in any case."""
        return ResponseHeaders(self._decoded.headers)

    @property
    def content(self) -> bytes:
        """The body, with content codings (gzip, deflate) undone."""
        body = plain_body(self._raw)
        return self._decoded.body if body is None else body

    @property
    def text(self) -> str:
        """The body as text, in the charset of its Content-Type or UTF-8; never an error."""
        charset = "utf-8"
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            return self.content.decode(charset, "replace")
        except LookupError:  # a charset that nobody knows
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError with the beginning of the body when it is none."""
        body = self.content
        try:
            return json.loads(body)
        except ValueError as error:
            began = body[:60].decode("utf-8", "replace")
            raise ValueError(f"{self.name} answered no JSON ({error}): {began!r}") from None

    def extract(self, path: str) -> Any:
        """The value at a JSON path such as `$.items[0].id`; None when there is none."""
        return json_path(self.json(), path)

    def fail(self, reason: str) -> None:
        """Count this response as an error; the report shows the reason."""
        if self.ok:
            self.ok = False
            self._ticket.count.reject(self._intended_ns, self._end_ns, reason)

    def expect(self, condition: object, reason: str) -> bool:
        """Count this response as an error unless the condition is true; whether it is."""
        if not condition:
            self.fail(reason)
        return bool(condition)

    def raise_for_status(self) -> "Response":
        """End the iteration unless the response is ok; else give it back, for chaining.

        Raises ResponseUnexpected, which the user loop takes for the end of an iteration that is
        counted already.
        """
        if not self.ok:
            raise ResponseUnexpected(f"{self.name} answered {self.status}")
        return self
