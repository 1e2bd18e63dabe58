"""Forged JSON Web Tokens: each variant keeps the claims, so that only the signature is in doubt.

Nothing here verifies or decrypts anything. RFC 7515 describes the form, RFC 8725 (2.1) the attacks.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from withstand.client.identity import jwt_claims

_HMAC: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
NONE_SPELLINGS: Final = ("none", "None", "NONE", "nOnE")


def is_jwt(token: str | None) -> bool:
    """Whether the token is a signed JWT whose claims can be read."""
    return bool(token) and jwt_claims(token or "") is not None and _header(token or "") is not None


def flipped(token: str) -> str:
    """One bit of the signature's middle byte turned over.

    Not the last character: it holds unused bits, so changing it may leave the signature as it was.
    """
    head, _, signature = token.rpartition(".")
    raw = bytearray(_decoded(signature))
    if not raw:
        return f"{head}.AAAA"
    raw[len(raw) // 2] ^= 0x10
    return f"{head}.{_encoded(bytes(raw))}"


def signed_with_unknown_key(token: str, key: bytes) -> str:
    """Signed anew: with this key for HMAC, else with bytes of the right length drawn from it."""
    head, _, signature = token.rpartition(".")
    algorithm = (_header(token) or {}).get("alg")
    if algorithm in _HMAC:
        return f"{head}.{_encoded(hmac.digest(key, head.encode(), _HMAC[algorithm]))}"
    length = len(_decoded(signature))
    return f"{head}.{_encoded(hashlib.shake_256(key).digest(max(length, 32)))}"


def unsigned(token: str) -> str:
    """The signature left out, its dot kept."""
    return token.rpartition(".")[0] + "."


def with_algorithm_none(token: str, spelling: str) -> str:
    """The same claims under a header that says that nothing is signed."""
    header = {**(_header(token) or {}), "alg": spelling}
    return f"{_encoded(json.dumps(header).encode())}.{token.split('.')[1]}."


def signed(claims: dict[str, Any], key: bytes) -> str:
    """A proper HS256 token, for the examples."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    head = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{head}.{_encoded(hmac.digest(key, head.encode(), 'sha256'))}"


def is_signed_with(token: str, key: bytes) -> bool:
    """Whether an HS256 token bears this key's signature, for the examples."""
    return is_jwt(token) and hmac.compare_digest(signed_with_unknown_key(token, key), token)


def _header(token: str) -> dict[str, Any] | None:
    try:
        header = json.loads(_decoded(token.split(".", 1)[0]))
    except ValueError:
        return None
    return header if isinstance(header, dict) else None


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
