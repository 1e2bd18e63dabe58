"""Password hashes: scrypt with a salt each, written in the PHC string format."""

import asyncio
import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

# Far below what production wants (OWASP: ln=17). It costs about 5 ms, so that a load test which
# begins with fifty logins at once measures the API and not the price of hashing.
_LN, _R, _P = 10, 8, 1
_FORMAT = re.compile(r"\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")

# The NIST advice is to refuse known passwords rather than to demand punctuation. These are the
# commonest ones that are long enough to pass the minimal length.
COMMON_PASSWORDS = frozenset(
    {
        "0123456789", "0987654321", "1111111111", "1234567890", "12345678910", "123456789a",
        "1q2w3e4r5t", "1q2w3e4r5t6y", "a123456789", "abcdefghij", "administrator", "basketball",
        "changeme123", "football123", "iloveyou123", "letmein123", "password12", "password123",
        "password1234", "princess123", "q1w2e3r4t5", "qwerty12345", "qwerty123456", "qwertyuiop",
        "superman123", "sunshine123", "trustno1trustno1", "welcome123", "welcome1234", "zxcvbnm123",
    }
)  # fmt: skip


class Passwords:
    """Hashes passwords on threads of its own, so that the event loop never waits for one.

    scrypt releases the interpreter lock; two threads keep both cores of a small machine in use
    without starving the loop.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")
        self._nobodys_hash = hash_password(os.urandom(16).hex())

    async def hashed(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, hash_password, password
        )

    async def match(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one.

        Without a stored hash the same work is done in vain, so that the time of the answer does
        not tell which users exist.
        """
        same = await asyncio.get_running_loop().run_in_executor(
            self._threads, _matches, password, stored or self._nobodys_hash
        )
        return same and stored is not None

    def close(self) -> None:
        self._threads.shutdown()


def hash_password(password: str) -> str:
    salt = os.urandom(16)
    digest = _scrypt(password, salt, ln=_LN, r=_R, p=_P)
    return f"$scrypt$ln={_LN},r={_R},p={_P}${_unpadded(salt)}${_unpadded(digest)}"


def _matches(password: str, stored: str) -> bool:
    parts = _FORMAT.fullmatch(stored)
    if parts is None:
        raise ValueError("a stored password hash is not in the scrypt format")
    ln, r, p, salt, digest = parts.groups()
    again = _scrypt(password, b64decode(salt + "=="), ln=int(ln), r=int(r), p=int(p))
    return hmac.compare_digest(_unpadded(again), digest)


def _scrypt(password: str, salt: bytes, *, ln: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**ln, r=r, p=p, dklen=32)


def _unpadded(value: bytes) -> str:
    return b64encode(value).decode().rstrip("=")
