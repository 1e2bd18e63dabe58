"""A key pair that signs tokens, and a verifier that can be talked into HMAC with the public key.

Only where that flaw is planted: the shop's own tokens are signed with one secret.
"""

import hashlib
import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.utils import base64url_decode

_KEY_ID = "shop-1"


class KeyPair:
    """RS256, with a key made for this server."""

    algorithm = "RS256"

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public = self._private.public_key()
        self.public_pem = self.public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def signed(self, claims: dict[str, Any]) -> str:
        """A token with these claims."""
        headers = {"kid": _KEY_ID}
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers=headers)

    def key_set(self) -> dict[str, Any]:
        """The public key as JWKS."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.public))
        return {"keys": [key | {"kid": _KEY_ID, "use": "sig", "alg": self.algorithm}]}

    def is_hmac(self, token: str) -> bool:
        """Whether the token says HS256 and bears an HMAC with the public key: the flaw.

        Raises jwt.PyJWTError and ValueError for what is no token.
        """
        if jwt.get_unverified_header(token).get("alg") != "HS256":
            return False
        head, _, signature = token.rpartition(".")
        made = hmac.digest(self.public_pem, head.encode(), hashlib.sha256)
        return hmac.compare_digest(made, base64url_decode(signature))
