"""Guessing the key of an HMAC signature: common words, the API's own names, and short numbers.

The words come from what tutorials, templates and defaults have in the place of a key. Pure: the
list is read from the package, and is as constant as code.
"""

import hashlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from withstand.scan.probes.tokens import HMAC_DIGESTS, algorithm_of, is_hmac_of, signature_of

MOST_DIGITS: Final = 6
"""The longest number tried as a key: a million of them take two seconds or more."""
FEWER_DIGITS: Final = 5
"""The same where the scan is to be done in seconds."""

_AROUND: Final = (
    "{}", "{}secret", "{}-secret", "{}_secret", "{}Secret", "{}SECRET", "{}_SECRET",
    "{}key", "{}-key", "{}_key", "{}Key", "{}_KEY", "{}secretkey", "{}-secret-key", "{}_secret_key",
    "{}SecretKey", "{}jwt", "{}-jwt", "{}_jwt", "{}-jwt-secret", "{}_jwt_secret", "{}JwtSecret",
    "{}_JWT_SECRET", "{}token", "{}-dev", "{}-dev-secret", "{}api", "{}-api", "{}1", "{}12",
    "{}123", "{}1234", "{}123!", "{}!", "{}@123", "secret-{}", "secret_{}", "secret{}", "my-{}",
    "my{}", "jwt-{}", "jwt_{}", "the-{}", "{0}{0}",
)  # fmt: skip
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


@lru_cache(maxsize=64)
def guessed_secret(
    token: str, names: tuple[str, ...] = (), *, thoroughly: bool = True
) -> str | None:
    """The key with which an HS256, HS384 or HS512 token is signed, when it can be guessed.

    `names` are texts of the API's own: its title, its host. `thoroughly` tries numbers of six
    digits as well. None when every guess was wrong, or the token is signed in another way.
    """
    if algorithm_of(token) not in HMAC_DIGESTS:
        return None
    for word in _words(names):
        if is_hmac_of(token, word.encode()):
            return word
    return _number(token, MOST_DIGITS if thoroughly else min(MOST_DIGITS, FEWER_DIGITS))


def _words(names: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield from _common()
    for name in _spellings(names):
        for form in _AROUND:
            yield form.format(name)


@cache
def _common() -> tuple[str, ...]:
    data = pkgutil.get_data("withstand.scan.probes", "weak_secrets.txt")
    assert data is not None, "the package is installed whole"
    return tuple(data.decode().splitlines())


def _spellings(names: Iterable[str]) -> Iterator[str]:
    """Each name and each of its words as people write them: `Pet Shop` → petshop, pet-shop, pet."""
    found: dict[str, None] = {}
    for name in names:
        parts = re.findall(r"[^\W_]+", name)
        for chosen in (parts, parts[:1], parts[:2], parts[-1:], *([part] for part in parts)):
            for glue in ("", "-", "_", " ", "."):
                text = glue.join(chosen)
                capital = glue.join(part.capitalize() for part in chosen)
                found |= dict.fromkeys((text, text.lower(), text.upper(), capital))
    return (name for name in found if name)


def _number(token: str, most_digits: int) -> str | None:
    """The key that is a number, leading zeros included.

    RFC 2104 by hand: one hash object copied costs a third less than a new HMAC for each number.
    """
    digest = HMAC_DIGESTS[algorithm_of(token)]
    head, _, _ = token.rpartition(".")
    fresh = hashlib.new(digest)
    padding = bytes(fresh.block_size)
    wanted = signature_of(token)
    for length in range(1, most_digits + 1):
        inner_rest = padding[length:].translate(_INNER) + head.encode()
        outer_rest = padding[length:].translate(_OUTER)
        for number in range(10**length):
            key = b"%0*d" % (length, number)
            inner, outer = fresh.copy(), fresh.copy()
            inner.update(key.translate(_INNER) + inner_rest)
            outer.update(key.translate(_OUTER) + outer_rest + inner.digest())
            if outer.digest() == wanted:
                return key.decode()
    return None
