"""Which things people keep to themselves, and which are users themselves, by their names. Pure."""

from typing import Final

from withstand.openapi.naming import noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments

_PROFILE_WORDS: Final = frozenset(
    {"users", "user", "profiles", "profile", "people", "authors", "persons"}
)


def is_about_users(operation: Operation | None) -> bool:
    """Whether the operation works on users, whose profiles are often meant to be seen."""
    parts = [part.lower() for part in operation.path.split("/") if part] if operation else []
    named = [part for part in parts if "{" not in part]
    return bool(named) and named[-1] in _PROFILE_WORDS


_PERSONAL: Final = frozenset(
    {"account", "wallet", "card", "cart", "basket", "statement", "balance", "invoice", "payment"}
    | {"transaction", "transfer", "order", "address", "message", "inbox", "notification", "record"}
    | {"prescription", "appointment", "policy", "claim", "document", "file", "note", "salary"}
    | {"payslip", "subscription", "booking", "reservation", "session", "token", "key", "secret"}
    | {"setting", "preference", "draft", "bill", "loan", "deposit", "medical_record", "credit_card"}
)


def is_personal(operation: Operation) -> bool:
    """Whether a path names what people keep to themselves: orders, accounts, messages."""
    return any(speaks_of_own(part) for part in segments(operation.path) if "{" not in part)


def speaks_of_own(name: str) -> bool:
    """Whether a name is of a kind of thing that people keep to themselves: `account_number`."""
    return noun(name) in _PERSONAL or bool(_PERSONAL & {*words(name)})
