"""Whether a call acts by its name, whatever its method: `GET /orders/{id}/cancel`. Pure.

GET is not safe: what was written for browsers acts by links. Only the words tell, and many of them
are things as well: `/refunds` and `/orders/{id}/refund-policy` are read.
"""

import re
from functools import lru_cache
from typing import Final

from withstand.openapi.naming import (
    CHANGE_WORDS,
    LIST_WORDS,
    READ_WORDS,
    REMOVE_WORDS,
    is_plural,
    singular,
    words,
    words_of_call,
)

ACT_WORDS: Final = frozenset(
    {"cancel", "approve", "disapprove", "reject", "decline", "deny", "activate", "deactivate"}
    | {"reactivate", "enable", "disable", "publish", "unpublish", "suspend", "unsuspend", "revoke"}
    | {"confirm", "unarchive", "unlock", "unban", "unblock", "unassign", "reopen"}
)
"""What is done to a thing that is there, and is no thing itself."""
_VERBS: Final = frozenset(
    {"pay", "accept", "assign", "subscribe", "unsubscribe", "unfollow", "close", "submit", "send"}
    | {"resend", "notify", "finalize", "finish", "dismiss", "redeem", "withdraw", "toggle", "kill"}
    | {"promote", "demote", "impersonate", "rename", "abort", "uninstall", "install", "rollback"}
    | {"expire", "erase", "clear", "flush", "regenerate", "rotate", "execute", "upvote", "downvote"}
)
_THINGS_TOO: Final = frozenset(
    {"archive", "refund", "transfer", "ban", "lock", "block", "charge", "import", "upload", "vote"}
    | {"follow", "claim", "deposit", "move", "start", "stop", "run", "deploy", "trigger", "process"}
    | {"merge", "mark", "grant", "complete", "restore", "release", "checkout", "ship", "invite"}
    | {"capture", "void", "settle", "reserve", "renew", "retry", "resume", "pause", "join", "leave"}
)
_FORMS: Final = frozenset({*CHANGE_WORDS, "create", "add", "insert", "set"})
"""Alone, it is the page with the form: `/orders/create`, `/orders/{id}/edit`."""
_ABOUT_IT: Final = frozenset(
    {"status", "state", "history", "log", "reason", "policy", "option", "type", "count", "info"}
    | {"stat", "summary", "preview", "date", "fee", "eligibility", "limit", "detail"}
)
"""What is read of a deed: `/orders/{id}/cancel-reasons`."""
_RECORDS: Final = frozenset({"log", "history", "form", "meta", "metadata"})
_READS: Final = READ_WORDS | LIST_WORDS | frozenset(
    {"gets", "lists", "retrieve", "retrieves", "return", "returns", "fetches", "search", "query"}
    | {"describe", "download", "export", "check", "can", "is", "has"}
)  # fmt: skip
_ENDING: Final = re.compile(r"\.[a-z]{2,6}\d?$", re.IGNORECASE)


@lru_cache(maxsize=16_384)
def acts_by_name(path: str, summary: str, name: str, asks: bool) -> bool:
    """Whether a path says that something is done by it.

    How the document describes the call decides about words that are things as well; its `name`
    less often, as many generators begin it with the method. `asks` says that an input outside the
    path is required.
    """
    address, _, query = path.replace("#", "?", 1).partition("?")
    parts = [part for part in address.split("/") if part]
    fixed = [part for part in parts if "{" not in part]
    last = query.rpartition("=")[2] or _ENDING.sub("", "".join(fixed[-1:]))
    phrase = words_of_call(last)
    first, end = phrase[0], singular(phrase[-1])
    if first in _READS:
        return False
    if REMOVE_WORDS & {*phrase} or (first in ACT_WORDS and end not in _ABOUT_IT):
        return True
    if words(summary or "-")[0] in _READS:
        return False
    if first in _FORMS:
        return (len(phrase) > 1 or asks) and end not in _RECORDS
    if end in _ABOUT_IT and len(phrase) > 1:
        return False
    if (_VERBS | ACT_WORDS) & {first, phrase[-1]}:
        return True
    if first not in _THINGS_TOO or is_plural(last) or (not summary and words(name)[0] in _READS):
        return False
    return len(phrase) > 1 or asks or (len(fixed) < len(parts) and parts[-1] == fixed[-1])
