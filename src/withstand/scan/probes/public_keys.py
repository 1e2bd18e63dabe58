"""Public keys of token signers: found in JWKS and PEM texts, spelled as servers keep them. Pure.

A server that takes the algorithm from the token feeds its public key, as the text or bytes that it
holds, to HMAC (RFC 8725, 2.1). So what matters is every byte string that a server may hold: PEM
with and without its last line feed, of both kinds (RFC 7468, RFC 8017), DER, and the JWK itself.
"""

import base64
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PEM: Final = re.compile(
    r"-----BEGIN ((?:RSA |EC )?PUBLIC KEY|CERTIFICATE)-----.+?-----END \1-----", re.DOTALL
)
_RSA: Final = bytes.fromhex("300d06092a864886f70d0101010500")  # rsaEncryption, NULL (RFC 3279)
_EC: Final = {  # id-ecPublicKey with the curve (RFC 5480), and the bytes of a coordinate
    "P-256": (bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"), 32),
    "P-384": (bytes.fromhex("301006072a8648ce3d020106052b81040022"), 48),
    "P-521": (bytes.fromhex("301006072a8648ce3d020106052b81040023"), 66),
    "secp256k1": (bytes.fromhex("301006072a8648ce3d020106052b8104000a"), 32),
}
_ED25519: Final = bytes.fromhex("300506032b6570")  # RFC 8410
_BIT_STRING: Final = 0x03
_INTEGER: Final = 0x02
_SEQUENCE: Final = 0x30


def keys_in(text: str) -> tuple[bytes, ...]:
    """Every key in a text that is JWKS, PEM or holds either: each spelled in every way, once.

    The likeliest spellings come first. Empty where there is none.
    """
    found: dict[bytes, None] = {}
    for pem in _PEM.finditer(text):
        found |= dict.fromkeys(_spelled_pem(pem.group().replace("\r\n", "\n").replace("\\n", "\n")))
    for jwk in _jwks(_json(text)):
        found |= dict.fromkeys(_spelled_jwk(jwk))
    return tuple(found)


def jwks_address(text: str) -> str | None:
    """Where an OpenID configuration says that the keys are; None when it says nothing."""
    document = _json(text)
    value = document.get("jwks_uri") if isinstance(document, Mapping) else None
    return value if isinstance(value, str) and value else None


def _spelled_pem(pem: str) -> Iterator[bytes]:
    yield f"{pem}\n".encode()
    yield pem.encode()
    lines = pem.split("\n")
    yield "".join(lines[1:-1]).encode()
    try:
        der = base64.b64decode("".join(lines[1:-1]))
    except ValueError:
        return
    if "RSA PUBLIC" in lines[0]:
        der = _info(_RSA, der)
        yield from _texts("PUBLIC KEY", der)
    elif "CERTIFICATE" not in lines[0] and _RSA in der[:40]:
        yield from _texts("RSA PUBLIC KEY", der[_header_bytes(der) :])
    yield der


def _spelled_jwk(jwk: Mapping[str, Any]) -> Iterator[bytes]:
    der, pkcs1 = _der(jwk)
    if der is not None:
        yield from _texts("PUBLIC KEY", der)
    if pkcs1 is not None:
        yield from _texts("RSA PUBLIC KEY", pkcs1)
    chain = jwk.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        with contextlib.suppress(ValueError):
            yield from _texts("CERTIFICATE", base64.b64decode(chain[0]))
    if der is not None:
        yield base64.b64encode(der)
        yield der
    modulus = jwk.get("n")
    if isinstance(modulus, str):
        yield modulus.encode()


def _texts(label: str, der: bytes) -> Iterator[bytes]:
    """PEM in lines of 64 characters, with and without the last line feed."""
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    pem = "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"))
    yield f"{pem}\n".encode()
    yield pem.encode()


def _der(jwk: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    """SubjectPublicKeyInfo of a JWK (RFC 7517), and of an RSA key its PKCS #1 form."""
    parts = {name: _bytes(jwk.get(name)) for name in ("n", "e", "x", "y")}
    match jwk.get("kty"):
        case "RSA" if parts["n"] and parts["e"]:
            numbers = _integer(parts["n"]) + _integer(parts["e"])
            pkcs1 = _tagged(_SEQUENCE, numbers)
            return _info(_RSA, pkcs1), pkcs1
        case "EC" if jwk.get("crv") in _EC and parts["x"] and parts["y"]:
            algorithm, length = _EC[jwk["crv"]]
            point = b"\x04" + parts["x"].rjust(length, b"\0") + parts["y"].rjust(length, b"\0")
            return _info(algorithm, point), None
        case "OKP" if jwk.get("crv") == "Ed25519" and parts["x"]:
            return _info(_ED25519, parts["x"]), None
    return None, None


def _info(algorithm: bytes, key: bytes) -> bytes:
    return _tagged(_SEQUENCE, algorithm + _tagged(_BIT_STRING, b"\0" + key))


def _integer(value: bytes) -> bytes:
    number = value.lstrip(b"\0") or b"\0"
    return _tagged(_INTEGER, b"\0" + number if number[0] & 0x80 else number)


def _tagged(tag: int, content: bytes) -> bytes:
    """DER: tag, length, content (X.690, 8.1)."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def _header_bytes(info: bytes) -> int:
    """The bytes before the key: behind the algorithm tag, length and unused bits of a string."""
    at = info.index(_RSA) + len(_RSA)
    length = info[at + 1]
    return at + 3 + (length & 0x7F if length & 0x80 else 0)


def _jwks(node: object) -> Iterator[Mapping[str, Any]]:
    """The keys of a key set, a single key, or either somewhere in an envelope."""
    if isinstance(node, Mapping):
        if isinstance(node.get("kty"), str):
            yield node
            return
        for value in node.values():
            yield from _jwks(value)
    elif isinstance(node, list):
        for item in node[:20]:
            yield from _jwks(item)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return b""
