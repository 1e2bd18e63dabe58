"""The client of HttpUser: requests' session as Locust has it, with a short way for plain requests.

A request takes the short way when nothing about it needs more than sending bytes and reading an
answer. Any other is left to the session that this one is, and so is any answer that is not plain.
"""

import json as standard_json
from collections.abc import MutableMapping
from contextlib import suppress
from time import perf_counter, perf_counter_ns, time
from typing import Any, Final

import requests.models
from locust.clients import HttpSession, ResponseContextManager
from requests import Response
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as PooledResponse

from withstand.locust_plugin.client.address import Address, address_of
from withstand.locust_plugin.client.connection import Broken
from withstand.locust_plugin.client.connecting import http_connector
from withstand.locust_plugin.client.cookies import CookieHeaders, WatchedRequestsJar
from withstand.locust_plugin.client.head import Head
from withstand.locust_plugin.client.http_response import PlainHttpResponse
from withstand.locust_plugin.client.pool import ConnectionPool
from withstand.locust_plugin.client.replay import TapeAdapter
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.client.template import BYTES, FORM, JSON, NO_BODY, TEXT, Templates
from withstand.locust_plugin.client.timing import Timing
from withstand.locust_plugin.watch import WATCH

_KEPT: Final = 10  # connections to one server, as requests keeps
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_json_text: Final = standard_json.JSONEncoder(allow_nan=False).encode
_is_standard_json: Final = requests.models.complexjson is standard_json
_MADE_LATE: Final = frozenset(("adapters",))


class WatchedHeaders(CaseInsensitiveDict[Any]):
    """The headers of a session; says when they change."""

    def __init__(self, changed: Any, headers: Any = None) -> None:
        self._changed = changed
        super().__init__(headers)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed()

    def copy(self) -> CaseInsensitiveDict[Any]:  # type: ignore[override]
        """A copy, which nobody watches."""
        return CaseInsensitiveDict(self.items())


class FastSession(HttpSession):
    """In the place of `locust.clients.HttpSession`."""
