"""What an optimistic lock asks of a request: `If-Match` with the latest ETag of the thing. Pure.

RFC 9110, section 13.1.1, and RFC 6585, section 3. A check knows nothing of it: the courier sees
every answer, so it knows which version each address is at.
"""

from collections import OrderedDict
from typing import Final
from urllib.parse import urlsplit

from withstand.client.exchange import Exchange, Request

_HEADER: Final = "If-Match"
_ANY: Final = "*"
_MOST: Final = 5_000  # addresses whose version is remembered


class Preconditions:
    """The versions that were seen, and what wants to be told one."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, str] = OrderedDict()
        self._wanted_by: set[tuple[str, str]] = set()

    def see(self, exchange: Exchange) -> None:
        """Remembers the version that an answer tells."""
        request, response = exchange.request, exchange.response
        if response is None or not response.succeeded:
            return
        path, etag = request.operation_path, response.header("etag")
        location = response.header("location")
        if request.method == "POST":
            if location is None:
                return
            path = urlsplit(location).path
        elif request.method not in {"GET", "HEAD", "PUT", "PATCH", "DELETE"}:
            return
        if etag is not None and request.method != "DELETE":
            self._versions[path] = etag
            self._versions.move_to_end(path)
            if len(self._versions) > _MOST:
                self._versions.popitem(last=False)
        elif request.method != "GET":
            self._versions.pop(path, None)

    def met(self, request: Request) -> Request:
        """The request with the version, where requests of its kind were refused without one."""
        if _kind(request) not in self._wanted_by:
            return request
        return request.with_header(_HEADER, self._versions.get(request.operation_path, _ANY))

    def is_missing(self, exchange: Exchange) -> bool:
        """Whether the answer asks for a version, which was not sent or is an old one."""
        if exchange.status == 428:
            return True
        return exchange.status == 412 and exchange.request.header(_HEADER) is not None

    def question(self, request: Request) -> Request | None:
        """The read that tells the version of what the request is about; None where it is known."""
        known = self._versions.get(request.operation_path)
        if known is not None and known != request.header(_HEADER):
            return None
        read = Request(method="GET", path=request.path, headers=request.headers)
        return read.without_header("content-type").without_header(_HEADER)

    def want(self, request: Request) -> None:
        """From now on requests of this kind are sent with a version."""
        self._wanted_by.add(_kind(request))


def _kind(request: Request) -> tuple[str, str]:
    """The method and the collection: what one item of it wants, all others want."""
    return request.method, request.operation_path.rstrip("/").rpartition("/")[0]
