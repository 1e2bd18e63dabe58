"""What a handshake tells of a server: the protocol, the certificate's dates and validity. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SEQUENCE: Final = 0x30
_EXPLICIT_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What was agreed on.

    `version` is OpenSSL's name (`TLSv1.3`). `problem` says why the certificate is not valid, None
    when it is; `expires_at_s` is its last second (Unix time), None where that could not be read.
    `old_version` is one before TLS 1.2 that the server agreed to as well, None when it refused.
    """

    version: str
    problem: str | None = None
    expires_at_s: float | None = None
    old_version: str | None = None


def expires_at_s(der: bytes) -> float | None:
    """The Unix time at which an X.509 certificate ends (RFC 5280, 4.1.2.5); None for no such."""
    try:
        return _expires_at_s(der)
    except (IndexError, ValueError):
        return None


def _expires_at_s(der: bytes) -> float | None:
    _, certificate, _ = _element(der)
    _, body, _ = _element(certificate)
    tag, content, rest = _element(body)
    if tag == _EXPLICIT_VERSION:
        tag, content, rest = _element(rest)  # the serial number
    for _ in range(3):  # the signature's algorithm, the issuer, then the validity
        tag, content, rest = _element(rest)
    if tag != _SEQUENCE:
        return None
    _, _, until = _element(content)
    tag, text, _ = _element(until)
    written = text.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 50 to 99 are of the last century
        written = ("19" if written[:2] >= "50" else "20") + written
    elif tag != _GENERALIZED_TIME:
        return None
    return datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """The first element of DER: its tag, its content, and what comes after it."""
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        at = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:at], "big")
    if at + length > len(data):
        raise ValueError("it ends before its length does")
    return tag, data[at : at + length], data[at + length :]
