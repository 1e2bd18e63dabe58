"""Errors that come with a 2xx: `{"success": false, "error": …}` (V6). Pure."""

from typing import Final

from withstand.client.exchange import Response

_FLAGS: Final = ("success", "ok", "succeeded", "successful")
_NO: Final = frozenset({"error", "fail", "failed", "failure"})
_ERRORS: Final = ("error", "errors", "error_code", "error_message")


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
    flags = [lower[key] for key in _FLAGS if isinstance(lower.get(key), bool)]
    if flags:
        return not all(flags)
    if "id" in lower or lower.get("data"):
        return False
    status = lower.get("status", lower.get("result"))
    named = isinstance(status, str) and status.lower() in _NO
    return named or any(lower.get(key) for key in _ERRORS)
