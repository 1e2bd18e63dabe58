"""How a virtual user's requests read in bytes: its headers, cookies and credential."""

import time
from collections.abc import Mapping

from withstand.client.cookies import CookieJar
from withstand.client.credential import Credential
from withstand.client.wire_format import forwarded_origin
from withstand.load.engine.script_connections import UserConnections
from withstand.load.engine.script_scene import Scene
from withstand.load.script.request import HeaderFields, basic_credential, needs_length
from withstand.load.script.response import Response
from withstand.load.script.script import UserFunction


class UserRequests(UserConnections):
    """What a virtual user sends with every request, over its connections.

    `_head` are the lines below the request line that any path may have, kept until a header or a
    cookie changes.
    """

    __slots__ = ("_base", "_head", "_headers", "_jar", "_origin", "_query")

    def __init__(self, scene: Scene, kind: UserFunction | None) -> None:
        super().__init__(scene, kind)
        self._base = scene.way.target.base_path
        self._origin = forwarded_origin(scene.way.target)
        self._headers = HeaderFields(scene.default_headers, changed=self._head_changed)
        self._jar: CookieJar | None = None
        self._head: bytes | None = None
        self._query: dict[str, object] = {}

    @property
    def headers(self) -> HeaderFields:
        """Headers that every request carries."""
        return self._headers

    @property
    def cookies(self) -> CookieJar:
        """What the target has set."""
        if self._jar is None:
            target = self._scene.way.target
            self._jar = CookieJar(
                target.host, secure=target.scheme == "https", changed=self._head_changed
            )
        return self._jar

    def take_cookies(self, response: Response) -> None:
        """Take in what a response sets."""
        now_s = time.time()
        for line in response.headers.get_all("set-cookie"):
            self.cookies.take(line, path=response.path, now_s=now_s)

    def take_on(self, credential: Credential) -> None:
        """Send this credential with every request."""
        self._headers.update(credential.headers)
        for name, value in credential.cookies:
            self.cookies.set(name, value)
        self._query = dict(credential.query)

    def _head_changed(self) -> None:
        self._head = None

    def fields_of(
        self,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        media_type: str | None,
    ) -> HeaderFields | None:
        """The headers of a request that has some of its own; None when it has not."""
        if headers is None and auth is None and media_type is None:
            return None
        fields = HeaderFields(self._headers.items())
        if media_type is not None:
            fields["Content-Type"] = media_type
        if auth is not None:
            fields["Authorization"] = basic_credential(*auth)
        fields.update(headers or {})
        return fields

    def rendered(self, method: str, whole: str, fields: HeaderFields | None, body: bytes) -> bytes:
        """A request as it is sent; without `fields` its headers are the user's."""
        line = f"{method} {self._origin}{whole} HTTP/1.1\r\n".encode()
        if fields is None and not needs_length(method, body):
            return line + self._common_head(whole)
        fields = self._headers if fields is None else fields
        length = b""
        if needs_length(method, body) and "content-length" not in fields:
            length = b"Content-Length: %d\r\n" % len(body)
        return b"".join((line, fields.lines(), self._cookie_line(whole), length, b"\r\n", body))

    def _common_head(self, whole: str) -> bytes:
        if self._head is not None:
            return self._head
        head = self._headers.lines() + self._cookie_line(whole) + b"\r\n"
        # Who sends a credential in the query has no head that any path may have.
        if not self._query and (self._jar is None or self._jar.is_uniform):
            self._head = head
        return head

    def _cookie_line(self, whole: str) -> bytes:
        if not self._jar or "cookie" in self._headers:
            return b""
        value = self._jar.header(whole, now_s=time.time())
        return f"Cookie: {value}\r\n".encode() if value else b""


def without_content(fields: HeaderFields | None) -> HeaderFields | None:
    """The headers of a request that keeps no body of the one before."""
    if fields is None:
        return None
    return HeaderFields(
        (name, value) for name, value in fields.items() if not name.lower().startswith("content-")
    )
