"""Forged JSON Web Tokens: most keep the claims, so that only the signature is in doubt. Pure.

RFC 7515 describes the form, RFC 8725 (2.1) the attacks.
"""

import base64
import hashlib
import hmac
import json
import math
from typing import Any, Final

from withstand.client.identity import jwt_claims

HMAC_DIGESTS: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
"""JWS algorithm → name of its digest (RFC 7518, 3.2)."""
NONE_SPELLINGS: Final = ("none", "None", "NONE", "nOnE")


def is_jwt(token: str | None) -> bool:
    """Whether the token is a signed JWT whose claims can be read."""
    text = token or ""
    return jwt_claims(text) is not None and jwt_header(text) is not None


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
    algorithm = algorithm_of(token)
    if algorithm in HMAC_DIGESTS:
        return _hmac_signed(head, key, algorithm)
    length = len(_decoded(signature))
    return f"{head}.{_encoded(hashlib.shake_256(key).digest(max(length, 32)))}"


def unsigned(token: str) -> str:
    """The signature left out, its dot kept."""
    return token.rpartition(".")[0] + "."


def with_claims_of(token: str, other: str) -> str:
    """The claims of another token under the header and the signature of this one."""
    head, _, signature = token.split(".")
    return f"{head}.{other.split('.')[1]}.{signature}"


def signed_as(token: str, algorithm: str, key: bytes) -> str:
    """The same claims, signed with an HMAC algorithm and this key, whatever signed them before."""
    header = {**(jwt_header(token) or {}), "alg": algorithm}
    head = f"{_encoded(json.dumps(header).encode())}.{token.split('.')[1]}"
    return _hmac_signed(head, key, algorithm)


def respelled(token: str, key: bytes) -> str:
    """The same header and claims, written with blanks and signed with this HMAC key: new bytes."""
    head = token.split(".")[0]
    claims = json.dumps(jwt_claims(token), separators=(" , ", " : ")).encode()
    return _hmac_signed(f"{head}.{_encoded(claims)}", key, algorithm_of(token))


def redated(token: str, key: bytes, *, issued_s: int, expires_s: int) -> str:
    """The same header and claims with other times, Unix seconds, signed with this HMAC key."""
    claims = jwt_claims(token) or {}
    times = {"iat": issued_s, "nbf": issued_s, "exp": expires_s}
    dated = claims | {n: at for n, at in times.items() if n in claims or n == "exp"}
    head = f"{token.split('.')[0]}.{_encoded(json.dumps(dated).encode())}"
    return _hmac_signed(head, key, algorithm_of(token))


def is_hmac_of(token: str, key: bytes) -> bool:
    """Whether this key made the token's signature, for any of the HMAC algorithms."""
    algorithm = algorithm_of(token)
    if algorithm not in HMAC_DIGESTS:
        return False
    head = token.rpartition(".")[0]
    made = hmac.digest(key, head.encode(), HMAC_DIGESTS[algorithm])
    return hmac.compare_digest(made, signature_of(token))


def algorithm_of(token: str) -> str:
    """What the header says that it is signed with, `HS256`; empty when it says nothing."""
    name = (jwt_header(token) or {}).get("alg")
    return name if isinstance(name, str) else ""


def signature_of(token: str) -> bytes:
    """The bytes of its signature."""
    return _decoded(token.rpartition(".")[2])


def issued_for_s(token: str) -> float | None:
    """From its issue to its expiry, seconds, by the claims `iat` and `exp`; None without both."""
    claims = jwt_claims(token) or {}
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        return None
    try:
        return float(expires) - float(issued)
    except OverflowError:  # a whole number beyond any float: never
        return math.inf


def with_algorithm_none(token: str, spelling: str) -> str:
    """The same claims under a header that says that nothing is signed."""
    header = {**(jwt_header(token) or {}), "alg": spelling}
    return f"{_encoded(json.dumps(header).encode())}.{token.split('.')[1]}."


def signed(claims: dict[str, Any], key: bytes) -> str:
    """A proper HS256 token, for the examples."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    head = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{head}.{_encoded(hmac.digest(key, head.encode(), 'sha256'))}"


def is_signed_with(token: str, key: bytes) -> bool:
    """Whether an HS256 token bears this key's signature, for the examples."""
    return is_jwt(token) and hmac.compare_digest(signed_with_unknown_key(token, key), token)


def jwt_header(token: str) -> dict[str, Any] | None:
    """The header of a JWT; None when the text begins with none."""
    try:
        header = json.loads(_decoded(token.split(".", 1)[0]))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _hmac_signed(head: str, key: bytes, algorithm: str) -> str:
    return f"{head}.{_encoded(hmac.digest(key, head.encode(), HMAC_DIGESTS[algorithm]))}"


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
