"""What the fields of a login are called: which is the password, and which says who. Pure."""

from typing import Final

_LOGIN_NAMES: Final = frozenset(
    {"username", "user", "login", "email", "loginname", "userid", "identifier", "account", "name",
     "handle", "nickname", "phone", "usernameoremail", "emailorusername"}
)  # fmt: skip
_PASSWORD_WORDS: Final = ("password", "passwd", "pwd", "passcode", "passphrase")
_PASSWORDS: Final = frozenset({"pass", "pw"})


def is_password(name: str) -> bool:
    """Whether a property of that name holds a password."""
    last = name.rsplit(".", 1)[-1].lower().replace("-", "").replace("_", "")
    return last in _PASSWORDS or any(
        last.startswith(word) or last.endswith(word) for word in _PASSWORD_WORDS
    )


def names_user(name: str) -> bool:
    """Whether a property of that name says who logs in."""
    last = name.rsplit(".", 1)[-1].lower().replace("-", "").replace("_", "")
    return last in _LOGIN_NAMES or last.endswith(("mail", "mailaddress"))
