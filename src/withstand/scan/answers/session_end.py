"""Whether an operation ends the session of whoever calls it, by its method and its name. Pure."""

import re
from typing import Final

from withstand.openapi.operation import Operation

_LOG_OUT: Final = re.compile(
    r"log[-_ ]?out|sign[-_ ]?out|log[-_ ]?off|sign[-_ ]?off", re.IGNORECASE
)
_SESSIONS: Final = frozenset({"session", "sessions", "token", "login", "auth"})
_OWN: Final = frozenset({"current", "me", "self", "mine"})
_EVERYWHERE: Final = re.compile(r"all|every|other", re.IGNORECASE)
_REVOKE: Final = re.compile(r"revoke|invalidate|end[-_]?session", re.IGNORECASE)


def logout_rank(operation: Operation) -> int | None:
    """How plainly the operation logs its caller out, 0 the plainest; None where it does not."""
    if operation.method not in {"POST", "DELETE", "PUT", "GET"}:
        return None
    parts = [part.lower() for part in operation.path.split("/") if part]
    last, before = (["", "", *parts])[-1], (["", "", *parts])[-2]
    if _LOG_OUT.search(last) or _LOG_OUT.search(operation.operation_id or ""):
        everywhere = _EVERYWHERE.search(_LOG_OUT.sub("", last))
        return 3 if everywhere or operation.method == "GET" else 0
    if operation.method == "DELETE" and (
        last in _SESSIONS or (last in _OWN and before in _SESSIONS - {"auth"})
    ):
        return 1
    if operation.method in {"POST", "DELETE", "GET"} and _REVOKE.search(last):
        return 2 if {"oauth", "oauth2", *_SESSIONS} & set(parts) else None
    return None
