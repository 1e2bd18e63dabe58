"""Exceptions of Locust's clients → why a request got no answer."""

import socket
import ssl
from http.client import HTTPException
from typing import Final

from gevent.timeout import Timeout
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from withstand.client.exchange import FailureKind

_KINDS: Final[tuple[tuple[tuple[type[BaseException], ...], FailureKind], ...]] = (
    ((socket.gaierror, urllib3_errors.NameResolutionError), FailureKind.UNRESOLVED),
    ((ssl.SSLError, requests_errors.SSLError, urllib3_errors.SSLError), FailureKind.TLS),
    (
        (TimeoutError, Timeout, requests_errors.Timeout, urllib3_errors.TimeoutError),
        FailureKind.TIMED_OUT,
    ),
    ((ConnectionRefusedError, urllib3_errors.NewConnectionError), FailureKind.REFUSED),
    (
        (
            ConnectionError,
            HTTPConnectionClosed,
            requests_errors.ChunkedEncodingError,
            urllib3_errors.IncompleteRead,
        ),
        FailureKind.RESET,
    ),
    (
        (HTTPParseError, HTTPException, requests_errors.ContentDecodingError),
        FailureKind.MALFORMED,
    ),
    ((OSError, urllib3_errors.HTTPError), FailureKind.RESET),
)


def failure_kind(exception: BaseException | str) -> FailureKind | None:
    """The kind of failure that an exception stands for; None for one that is no failure of the
    connection, such as what a user's own check says.
    """
    seen: BaseException | None = exception if isinstance(exception, BaseException) else None
    while seen is not None:
        for kinds, kind in _KINDS:
            if isinstance(seen, kinds):
                return kind
        original = getattr(seen, "original", None)  # of geventhttpclient's RetriesExceeded
        seen = original if isinstance(original, BaseException) else None
    return None
