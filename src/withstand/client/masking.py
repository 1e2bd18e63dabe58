"""Secrets out of everything that is shown, stored or printed. Pure.

A secret is masked wherever it may turn up: as it is, percent-encoded, escaped in JSON or HTML, in
base64, and inside HTTP Basic credentials.
"""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from withstand.client.exchange import Exchange, Failure, Headers, Request, Response

KEPT_BYTES: Final = 8_000

# Shorter secrets (a PIN) are masked only where they stand alone: "12" is part of too much.
_SHORT: Final = 4
# A JWT's signature this long is worth hiding by itself: beside a forged payload, say.
_MIN_SIGNATURE: Final = 16
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")


class Mask:
    """Replaces secrets by the shell variables that stand for them.

    `secrets` maps a secret to its variable: `{"eyJ…": "$WITHSTAND_TOKEN_ALICE"}`, as
    `Identity.secrets` does. The variable is written `${WITHSTAND_…}` where a letter follows, so
    that a shell finds its end. Of a JWT also the signature alone is masked, as
    `${WITHSTAND_…##*.}`, which a shell expands to just that.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._replacements: dict[str, str] = {}
        for secret, variable in secrets.items():
            for form, text in _forms(secret, variable):
                self._replacements.setdefault(_upper_escapes(form), text)
        # The longest first: one secret may be part of another.
        forms = sorted(self._replacements, key=len, reverse=True)
        plain = "|".join(map(_pattern, forms)) or "(?!)"
        self._plain = re.compile(plain)
        basic = rf"(?i:\bbasic) +(?!{plain})([A-Za-z0-9+/_-]{{4,}}={{0,2}})"
        self._pattern = re.compile(f"{basic}|{plain}")

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(lambda match: self._basic(match) or self._replaced(match), text)

    def body(self, body: bytes, highlight: str | None = None) -> bytes:
        """A body without secrets, cut to 8 kB: around the highlight where it has it."""
        masked = self.text(body.decode("utf-8", "surrogateescape"))
        return _cut(
            masked.encode("utf-8", "surrogateescape"),
            self.text(highlight).encode("utf-8", "surrogateescape") if highlight else b"",
        )

    def headers(self, headers: Headers) -> Headers:
        """Header fields without secrets."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)

    def request(self, request: Request, highlight: str | None = None) -> Request:
        """A request without secrets in its path, headers and body."""
        return replace(
            request,
            path=self.text(request.path),
            headers=self.headers(request.headers),
            body=self.body(request.body, highlight),
        )

    def exchange(self, exchange: Exchange, highlight: str | None = None) -> Exchange:
        """An exchange without secrets on either side, its bodies cut around the highlight."""
        outcome = exchange.outcome
        return replace(
            exchange,
            request=self.request(exchange.request, highlight),
            outcome=replace(outcome, detail=self.text(outcome.detail))
            if isinstance(outcome, Failure)
            else self._response(outcome, highlight),
        )

    def _response(self, response: Response, highlight: str | None) -> Response:
        return replace(
            response,
            reason=self.text(response.reason),
            headers=self.headers(response.headers),
            body=self.body(response.body, highlight),
        )

    def _replaced(self, match: re.Match[str]) -> str:
        found = self._replacements[_upper_escapes(match.group())]
        follower = match.string[match.end() : match.end() + 1]
        if found.startswith("$WITHSTAND") and (follower == "_" or follower.isalnum()):
            return "${" + found[1:] + "}"
        return found

    def _basic(self, match: re.Match[str]) -> str | None:
        if match[1] is None:
            return None
        try:
            data = base64.b64decode(match[1] + "=" * (-len(match[1]) % 4), altchars=b"-_")
            pair = data.decode()
        except ValueError:
            pair = ""
        masked = self.text(pair)
        if masked == pair:
            return self._plain.sub(self._replaced, match.group())
        return f"Basic base64({masked})"


def _forms(secret: str, variable: str) -> Iterator[tuple[str, str]]:
    """Everything a secret may look like, each with what to write instead."""
    if not secret:
        return
    ascii_json = json.dumps(secret)[1:-1]
    text_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    data = secret.encode("utf-8", "surrogateescape")
    for form in (
        secret,
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        ascii_json,
        text_json,
        ascii_json.replace("/", "\\/"),
        text_json.replace("/", "\\/"),
        html.escape(secret),
        html.escape(secret).replace("&#x27;", "&#39;"),
    ):
        yield form, variable
    if len(secret) >= _SHORT:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(data).decode().rstrip("=")
            yield form, f"base64({variable})"
    if secret.count(".") == 2:
        signature = secret.rpartition(".")[2]
        if len(signature) >= _MIN_SIGNATURE:
            yield signature, "${" + variable.removeprefix("$") + "##*.}"


def _upper_escapes(text: str) -> str:
    return _ESCAPE.sub(lambda escape: escape.group().upper(), text)


def _pattern(form: str) -> str:
    # Percent-encoding may be in capitals or not (RFC 3986, 2.1).
    escaped = _ESCAPE.sub(lambda escape: f"(?i:{escape.group()})", re.escape(form))
    return escaped if len(form) >= _SHORT else rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"


def _cut(body: bytes, highlight: bytes) -> bytes:
    if len(body) <= KEPT_BYTES:
        return body
    at = max(body.find(highlight), 0) if highlight else 0
    start = min(max(at + len(highlight) // 2 - KEPT_BYTES // 2, 0), len(body) - KEPT_BYTES)
    start, end = _whole(body, start), _whole(body, start + KEPT_BYTES)
    before = _left_out(start) + b" " if start else b""
    after = b" " + _left_out(len(body) - end) if end < len(body) else b""
    return before + body[start:end] + after


def _left_out(count_bytes: int) -> bytes:
    return f"[… {count_bytes:,} bytes left out …]".encode()


def _whole(body: bytes, index: int) -> int:
    """The nearest index at or before that is not inside a UTF-8 character."""
    for back in range(4):
        at = index - back
        if at <= 0 or at >= len(body) or body[at] & 0xC0 != 0x80:
            return at
    return index
