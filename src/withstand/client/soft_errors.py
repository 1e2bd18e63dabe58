"""Errors that come with a 2xx: `{"success": false, "error": …}` (V6). Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from withstand.client.exchange import Response

_FLAGS: Final = ("success", "ok", "succeeded", "successful", "issuccess", "is_success")
_NO: Final = frozenset(
    {"error", "fail", "failed", "failure", "forbidden", "unauthorized", "denied"}
)
_ERRORS: Final = ("error", "errors", "error_code", "error_message", "errcode", "errno", "errorcode")
_CODES: Final = ("code", "status", "statuscode", "status_code", "retcode")
_MESSAGES: Final = frozenset(
    {"message", "msg", "errmsg", "error_msg", "reason", "detail", "details"}
)
ENVELOPE: Final = _MESSAGES | {
    *_FLAGS, *_ERRORS, *_CODES, "data", "result", "timestamp", "time", "path", "title", "type",
    "requestid", "request_id", "traceid", "trace_id",
}  # fmt: skip
"""What an envelope has, and a thing with a code of its own, a voucher, has more than that."""
_REFUSES: Final = re.compile(r"[45]\d\d(?:\d\d\d?)?")
"""403, and with further digits 40301 and 403001; other numbers are successes to some."""


def says_no(response: Response) -> bool:
    """Whether a JSON object says that nothing was done, by the words that envelopes use.

    `{"ok": true, "errors": ["old"]}` says yes, and so does what came with data; an `id` makes it a
    thing that has a status of its own: a job that failed, a payment with an error.
    """
    document = response.json()
    if not isinstance(document, dict):
        return False
    lower = {str(key).lower(): value for key, value in document.items()}
    if "jsonrpc" in lower:  # its id is that of the request
        return bool(lower.get("error"))
    flags = [_flag(lower[key]) for key in _FLAGS if key in lower]
    told = [flag for flag in flags if flag is not None]
    if told:
        return not all(told)
    if "id" in lower or lower.get("data"):
        return False
    status = lower.get("status", lower.get("result"))
    named = isinstance(status, str) and status.lower() in _NO
    return named or any(lower.get(key) for key in _ERRORS) or _has_code(lower)


def _flag(value: Any) -> bool | None:
    """Yes or no, as languages without booleans write it too; None where it is something else."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _has_code(lower: Mapping[str, Any]) -> bool:
    """Whether it is a message with a code that refuses, and nothing else."""
    if not lower.keys() <= ENVELOPE or not lower.keys() & _MESSAGES:
        return False
    codes = [lower[key] for key in _CODES if key in lower]
    return any(each is False or _REFUSES.fullmatch(str(each)) for each in codes)
