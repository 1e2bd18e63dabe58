"""Which operation logs its caller out, and whether its answer says that it did. Pure."""

import re
from typing import Final

from withstand.client.exchange import Response
from withstand.openapi.operation import Operation
from withstand.scan.policy import matches
from withstand.scan.soft_errors import says_no
from withstand.scan.subject import Subject

_LOG_OUT: Final = re.compile(
    r"log[-_ ]?out|sign[-_ ]?out|log[-_ ]?off|sign[-_ ]?off", re.IGNORECASE
)
_SESSIONS: Final = frozenset({"session", "sessions", "token", "login", "auth"})
_OWN: Final = frozenset({"current", "me", "self", "mine"})
_EVERYWHERE: Final = re.compile(r"all|every|other", re.IGNORECASE)
_REVOKE: Final = re.compile(r"revoke|invalidate|end[-_]?session", re.IGNORECASE)


def logout_operations(subject: Subject) -> tuple[Operation, ...]:
    """The operations that end the caller's session, the plainest first.

    `POST /logout` and the like by path or operation id, `DELETE /session` and its kin, and what
    revokes a token. The deny words do not count here; what is listed under never does.
    """
    ranked = [
        (rank, operation)
        for operation in subject.api.operations
        if (rank := _rank(operation)) is not None
        and not operation.path_parameters
        and not any(matches(pattern, operation.key) for pattern in subject.policy.never)
    ]
    return tuple(operation for _, operation in sorted(ranked, key=lambda pair: pair[0]))


def ended(response: Response) -> bool:
    """Whether the answer to a logout says that the session is over.

    A redirect does where it sets a cookie, which is how websites forget theirs.
    """
    if 300 <= response.status < 400:
        return bool(response.header_values("set-cookie"))
    return response.succeeded and not says_no(response)


def _rank(operation: Operation) -> int | None:
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
    if operation.method in {"POST", "DELETE"} and _REVOKE.search(last):
        return 2 if {"oauth", "oauth2", *_SESSIONS} & set(parts) else None
    return None
