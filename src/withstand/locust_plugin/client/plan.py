"""What a request of requests comes to: where its bytes go, and which they are.

A plan is made of a request about which nothing needs more than sending bytes and reading an answer.
Of any other, a few words say why requests itself has to send it.
"""

import json as standard_json
import sys
from typing import Any, Final

from requests import Session
from requests.models import RequestEncodingMixin

from withstand.locust_plugin.client.address import Address, address_of
from withstand.locust_plugin.client.cookies import CookieHeaders
from withstand.locust_plugin.client.template import BYTES, FORM, JSON, NO_BODY, TEXT, Templates

Plan = tuple[Address, bytes, Any, bool]
"""Address, bytes of the request, `timeout` as the user gave it, whether redirects are followed."""

_MAX_KNOWN: Final = 512
_OPTIONAL: Final = frozenset(
    ("auth", "cert", "cookies", "files", "hooks", "proxies", "stream", "verify")
)
_SECONDS: Final = (int, float)
_json_text: Final = standard_json.JSONEncoder(allow_nan=False).encode
IS_STANDARD_JSON: Final = sys.modules.get("simplejson") is None
_encoded: Final = RequestEncodingMixin._encode_params


class Planner:
    """The plans of one session. Those without a body are known again when they come again."""

    __slots__ = ("_known", "_known_version", "cookies", "templates")

    def __init__(self) -> None:
        self.templates = Templates()
        self.cookies = CookieHeaders()
        self._known: dict[tuple[Any, ...], Plan] = {}
        self._known_version: Any = None

    def forget(self) -> None:
        """What all requests of the session have in common has changed."""
        self.templates.clear()
        self._known.clear()

    def plan(
        self, session: Any, method: str, url: str, data: Any, json: Any, given: Any
    ) -> Plan | str:
        """The plan for a request, or why there is none."""
        headers = params = timeout = None
        redirects = True
        for key, value in given.items():
            if key == "allow_redirects":
                redirects = value
            elif key == "headers":
                headers = value
            elif key == "params":
                params = value
            elif key == "timeout":
                timeout = value
            elif key not in _OPTIONAL or (value is not None and (key != "stream" or value)):
                return f"{key}="
        if timeout is not None and not _is_plain_timeout(timeout):
            return "a timeout that is no number of seconds"
        if session.proxies or session.trust_env:
            return "proxies"
        if session.params or session.stream or session.hooks["response"]:
            return "params, stream or hooks of the session"
        if session.has_own_transport:
            return "a transport adapter or pool manager of your own"
        try:
            if data is not None or json is not None or params:
                return self._made(
                    session, method, url, data, json, params, headers, timeout, redirects
                )
            version = getattr(session.cookies, "version", None)
            if version is None or version != self._known_version:
                self._known.clear()
                self._known_version = version
            # Without a body there is little to a request, and much of it comes again.
            key = (
                method,
                url,
                session.base_url,
                timeout,
                redirects,
                tuple(headers.items()) if headers else None,
            )
            known = self._known.get(key)
            if known is not None:
                return known
            found = self._made(session, method, url, None, None, None, headers, timeout, redirects)
            if version is not None and self.cookies.last and type(found) is tuple:
                if len(self._known) >= _MAX_KNOWN:
                    self._known.clear()
                self._known[key] = found
            return found
        except Exception:  # whatever is wrong with a request, requests says it best
            return "a request that cannot be sent as it is"

    def _made(
        self,
        session: Session,
        method: str,
        url: str,
        data: Any,
        json: Any,
        params: Any,
        headers: Any,
        timeout: Any,
        redirects: Any,
    ) -> Plan | str:
        whole = url if url.startswith("http") else f"{session.base_url}{url}"  # type: ignore[attr-defined]
        if params and (query := _encoded(params)):
            if whole.endswith("?"):
                return "a query that is empty"
            whole += ("&" if "?" in whole else "?") + query
        address = address_of(whole)
        if address is None:
            return "an address that has to be encoded"
        if json is not None and not data:
            if not IS_STANDARD_JSON:
                return "simplejson"
            kind, body = JSON, _json_text(json).encode()
        elif not data and (data is None or isinstance(data, dict | str | bytes)):
            kind, body = NO_BODY, b""
        elif type(data) is bytes:
            kind, body = BYTES, data
        elif type(data) is str and data.isascii():
            kind, body = TEXT, data.encode()
        elif type(data) is dict:
            kind, body = FORM, _encoded(data).encode()
            if not body:
                return "a form without a field"
        else:
            return f"data= of type {type(data).__name__}"
        template = self.templates.find(session, method, headers, kind)
        if template is None:
            return "headers or auth that need more than sending"
        cookie = self.cookies.header(session.cookies, address.origin, address.path)
        return (
            address,
            template.bytes(method.upper(), address.head, cookie, body),
            timeout,
            redirects,
        )


def _is_plain_timeout(timeout: Any) -> bool:
    parts = timeout if type(timeout) is tuple and len(timeout) == 2 else (timeout,)
    return all(part is None or (type(part) in _SECONDS and part > 0) for part in parts)
