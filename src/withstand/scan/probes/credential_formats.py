"""Texts that are credentials by their form: keys and tokens that providers mark as such. Pure.

A mark alone is not enough. What follows it must look drawn by chance, must not be one of the
examples that documentation is full of, and a private key must hold what a private key holds.
"""

import base64
import binascii
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACEHOLDER: Final = re.compile(
    r"example|sample|placeholder|dummy|redacted|changeme|your|xxxx|\*\*\*|\.\.\.|1234567890|abcdefgh",
    re.IGNORECASE,
)
_FORMATS: Final = {
    "an AWS access key": re.compile(
        r"(?<![A-Za-z0-9/+])(?:AKIA|ASIA)([0-9A-Z]{16})(?![A-Za-z0-9/+=])"
    ),
    "a GitHub token": re.compile(
        r"(?<![A-Za-z0-9_])(?:gh[pousr]_([A-Za-z0-9]{36,80})|github_pat_(\w{50,90}))(?![A-Za-z0-9_])"
    ),
    "a GitLab token": re.compile(r"(?<![A-Za-z0-9_-])glpat-([\w-]{20,30})(?![\w-])"),
    "a Slack token": re.compile(r"(?<![A-Za-z0-9-])xox[abeoprs]-([0-9A-Za-z-]{20,250})(?![\w-])"),
    "a Stripe key": re.compile(r"(?<![A-Za-z0-9_])[sr]k_live_([0-9A-Za-z]{16,250})(?!\w)"),
    "an npm token": re.compile(r"(?<![A-Za-z0-9_])npm_([A-Za-z0-9]{36})(?!\w)"),
    "a SendGrid key": re.compile(r"(?<![\w.])SG\.([\w-]{22}\.[\w-]{43})(?![\w-])"),
    "a Shopify token": re.compile(r"(?<!\w)shp(?:at|ca|pa|ss)_([0-9a-fA-F]{32})(?!\w)"),
}
_MARKS: Final = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("_live_", "npm_", "SG.", "shp", "PRIVATE KEY", "@"),
)
"""Without any of these there is nothing to search for: most answers are done with here."""
_PEM: Final = re.compile(
    r"-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH) )?PRIVATE KEY-----(.{40,12000}?)"
    r"(?:-----END|$)",
    re.DOTALL,
)
_OPENSSH: Final = b"openssh-key-v1"
_DATABASE_URL: Final = re.compile(
    r"\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql)(?:\+\w+)?://"
    r"[^\s:/@\"'<>]{0,80}:([^\s/@\"'<>{}$*]{4,120})@[\w.\[\]-]+"
)
_BY_DESIGN: Final = re.compile(r"(?:X-Amz-Credential|AWSAccessKeyId)=$", re.IGNORECASE)
_WEAK_WORDS: Final = frozenset({"password", "pass", "secret", "user", "username", "pwd"})
_LEAST_BITS: Final = 2.8  # per character: random text of 16 has over 3.3, a pattern far less


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A credential in a text, and what it is."""

    what: str
    value: str


def credentials_in(text: str) -> Iterator[Secret]:
    """Every credential that the text shows by its form. Tokens of users are not among them."""
    if not any(mark in text for mark in _MARKS):
        return
    for what, pattern in _FORMATS.items():
        for match in pattern.finditer(text):
            drawn = next(group for group in match.groups() if group is not None)
            if not _looks_drawn(drawn) or _signs_a_url(text, match.start()):
                continue
            if what in {"a GitHub token", "an npm token"} and not _checks_out(match.group(0)):
                continue
            yield Secret(what=what, value=match.group(0))
    for match in _PEM.finditer(text):
        if _holds_a_key(match.group(1)):
            yield Secret(what="a private key", value=match.group(0).removesuffix("-----END"))
    for match in _DATABASE_URL.finditer(text):
        password = unquote(match.group(1))
        if password.lower() not in _WEAK_WORDS and not _PLACEHOLDER.search(password):
            yield Secret(what="the password of a database", value=match.group(0))


def checksum(drawn: str) -> str:
    """The six characters that GitHub and npm append to what they have drawn: its CRC-32, base 62.

    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    rest, digits = zlib.crc32(drawn.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


def _checks_out(token: str) -> bool:
    """Whether the checksum is right, or the text is drawn so evenly that it need not be."""
    drawn = token.split("_", 1)[1]
    if len(drawn) == 36 and checksum(drawn[:-6]) == drawn[-6:]:
        return True
    return _bits(drawn) >= 3.8


def _looks_drawn(text: str) -> bool:
    return _PLACEHOLDER.search(text) is None and _bits(text) >= _LEAST_BITS


def _bits(text: str) -> float:
    """Shannon entropy of the characters, in bits for each."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _signs_a_url(text: str, start: int) -> bool:
    """Whether it names the signer in a signed URL: that key id is meant to be seen."""
    return _BY_DESIGN.search(text[max(0, start - 24) : start]) is not None


def _holds_a_key(body: str) -> bool:
    """Whether the lines between BEGIN and END are DER or OpenSSH's form: not "MIIE…" in a text."""
    lines = [line.strip() for line in body.replace("\\n", "\n").splitlines()]
    joined = "".join(line for line in lines if ":" not in line)  # RFC 1421 headers
    if not re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", joined):
        return False
    try:
        data = base64.b64decode(joined + "=" * (-len(joined) % 4))
    except binascii.Error:
        return False
    return (data.startswith(_OPENSSH) or data[:1] == b"\x30") and _bits(joined) >= 3.5
