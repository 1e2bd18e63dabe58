"""One try at a request that succeeds, kept so that somebody can see why none did. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from withstand.client.exchange import Exchange, Response
from withstand.openapi.request_builder import Built
from withstand.scan.complaints import said

_FAILURE_WORDS: Final = frozenset({"error", "fail", "failed", "failure"})
_REASONS: Final = ("error", "errors", "message", "msg", "detail", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tried, with how much of the body, and what came of it: an exchange, or why none was sent.

    `repaired` names the inputs that had another value than at the attempt before.
    """

    identity: str | None
    full: bool = True
    repaired: tuple[str, ...] = ()
    built: Built | None = None
    exchange: Exchange | None = None
    reason: str = ""

    @property
    def what(self) -> str:
        """`bob got 422: email: is invalid`, in one line and with whatever secrets are in it."""
        who = self.identity or "anonymous"
        if self.exchange is None or self.exchange.response is None:
            return f"{who}: {self.reason}"
        text = said(self.exchange.response)
        soft = " that says it failed" if self.exchange.succeeded else ""
        return f"{who} got {self.exchange.status}{soft}" + (f": {text}" if text else "")


def claims_failure(response: Response) -> bool:
    """Whether a 2xx says of itself that nothing was done: `{"success": false}` (V6)."""
    if not response.succeeded or not response.body.lstrip().startswith(b"{"):
        return False
    document: Any = response.json()
    if not isinstance(document, Mapping):
        return False
    plain = {str(key).lower(): value for key, value in document.items()}
    if any(plain.get(word) is False for word in ("success", "ok", "succeeded", "successful")):
        return True
    has_reason = any(plain.get(word) for word in _REASONS)
    status = str(plain.get("status", plain.get("result", ""))).lower()
    return has_reason and status in _FAILURE_WORDS and not plain.get("data") and "id" not in plain
