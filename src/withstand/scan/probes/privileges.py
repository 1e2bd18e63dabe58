"""Properties that callers must not set for themselves: which there may be, and with which values.

A property is tried when the API shows it, the document does not let callers send it, and its name
speaks of rights, money or approval, or the document calls it read-only. On somebody's own account
a flag of an administrator, a balance and what has been verified are tried also where the document
lets them be sent: where one model serves for what is sent and what is shown, its document tells
what it takes, not what it should. Of all else that may be sent only values that are others' to give
are tried (`withstand.scan.probes.reserved`). Pure.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from withstand.client.exchange import Exchange
from withstand.client.page import page_of, properties_of
from withstand.openapi.naming import canonical, words
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Slot
from withstand.openapi.schema_merge import flattened
from withstand.scan.answers.shape import leaves
from withstand.scan.finding import Severity

_RIGHTS: Final = frozenset(
    {"admin", "administrator", "role", "roles", "staff", "superuser", "root", "permission"}
    | {"permissions", "privilege", "privileges", "scope", "scopes", "moderator"}
)
_MONEY: Final = frozenset({"balance", "credit", "credits", "discount", "price", "paid", "wallet"})
_APPROVAL: Final = frozenset(
    {"verified", "approved", "confirmed", "premium", "trusted", "status", "state", "plan", "tier"}
    | {"quota", "points", "score", "total", "fee", "cost", "vip", "refunded", "featured"}
)
_NOBODYS_OWN: Final = frozenset(
    {"admin", "administrator", "staff", "superuser", "root", "moderator"}
    | {"balance", "credit", "credits", "wallet", "verified", "premium", "vip"}
)
_LOCKS: Final = frozenset(
    {"status", "state", "active", "enabled", "disabled", "blocked", "banned", "locked", "suspended"}
)
"""What may keep a user out of the account that is changed."""
_WORDS: Final = _RIGHTS | _MONEY | _APPROVAL
_NOT_A_PRIVILEGE: Final = frozenset({"id", "at", "date", "time", "url", "count", "page", "code"})
AS_USER: Final[Mapping[str, object]] = {
    "role": "admin", "is_admin": True, "isAdmin": True, "admin": True,
}  # fmt: skip
"""What a sign-up is tried with, whatever its answers show."""

_MOST: Final = 8
ONE_BY_ONE: Final = 4
"""How many are tried alone where all together are refused: also by a database without a column for
the one that nobody knows.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A property and the value tried. `slot` is its place in the request."""

    name: str
    slot: Slot
    value: object

    @property
    def may_lock_out(self) -> bool:
        """Whether an account may be closed by it: nobody could read what else has changed."""
        return bool(_LOCKS & {*words(self.name)})

    @property
    def severity(self) -> Severity:
        """High for rights and money, medium for the rest."""
        serious = (_RIGHTS | _MONEY) & {*words(self.name)}
        return Severity.HIGH if serious else Severity.MEDIUM


Tries = tuple[Try, ...]
Reserved = Callable[[str, Any], object | None]
"""A property and the value that it has → one that is not the caller's to give it, if any is."""


def tries_at(
    api: Api,
    operation: Operation,
    slots: tuple[Slot, ...],
    views: tuple[Any, ...],
    *,
    reserved: Reserved,
    own_account: bool = False,
) -> Tries:
    """The properties to try, most privileged first. `views` are documents that show the object.

    Of what may be sent only a `reserved` value is tried.
    """
    prefix = _wrapper(slots)
    declared = {canonical(s.name.rsplit(".", 1)[-1]) for s in slots if s.location == "body"}
    read_only = set(_read_only(api, operation))
    found: dict[str, Try] = {}
    for view in views:
        for name, value in _properties(view):
            spoken = bool(_WORDS & {*words(name)}) or (
                name in read_only and isinstance(value, bool | int | float)
            )
            meant = canonical(name) in declared and not (own_account and _is_the_apis(name, value))
            if name in found or not spoken or words(name)[-1] in _NOT_A_PRIVILEGE:
                continue
            allowed = allowed_values(api, operation, name)
            other = reserved(name, value) if meant else _other(name, value, allowed)
            if other is not None:
                found[name] = Try(name=name, slot=_slot(prefix, name), value=other)
    ranked = sorted(found.values(), key=lambda each: _rank(each.name))
    return tuple(ranked[:_MOST])


def _is_the_apis(name: str, value: Any) -> bool:
    """Whether nobody may give it to themselves, whatever a document says: `is_staff`, `credits`."""
    return isinstance(value, bool | int | float) and words(name)[-1] in _NOBODYS_OWN


def as_user(slots: tuple[Slot, ...]) -> tuple[Try, ...]:
    """What a sign-up is tried with besides; a role that may be chosen is tried as well."""
    prefix = _wrapper(slots)
    return tuple(
        Try(name=name, slot=_slot(prefix, name), value=value) for name, value in AS_USER.items()
    )


def extras(tries: Iterable[Try]) -> dict[Slot, object]:
    """The properties as inputs of a request."""
    return {each.slot: each.value for each in tries}


def named(tries: Iterable[Try]) -> str:
    """The properties as a finding names them: `role = "admin"`."""
    return " and ".join(f"{each.name} = {json.dumps(each.value)}" for each in tries)


def worst(tries: Iterable[Try]) -> Severity:
    """How bad it is that callers set these."""
    return max((each.severity for each in tries), key=lambda severity: severity.rank)


def nonsense(slots: tuple[Slot, ...], nonce: str) -> Try:
    """A property that no API knows: one that keeps it keeps anything."""
    return Try(name=nonce, slot=_slot(_wrapper(slots), nonce), value=True)


def document_of(exchange: Exchange | None) -> Any:
    """What an answer holds as JSON, or what its page shows under names; None without either."""
    response = exchange.response if exchange is not None else None
    page = page_of(response) if response is not None else None
    if page is not None:
        return {name: _meant(text) for name, text in properties_of(page).items()}
    return response.json() if response is not None else None


def _meant(text: str) -> object:
    """A value as a page writes it: truth values and whole numbers are no texts."""
    known = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    number = re.fullmatch(r"-?\d{1,15}", text)
    return int(text) if number else known.get(text.lower(), text)


def has(document: Any, tried: Try) -> bool:
    """Whether a document shows the property with just that value."""
    return any(
        name == tried.name
        and isinstance(value, bool) is isinstance(tried.value, bool)
        and value == tried.value
        for name, value in _all_properties(document)
    )


def knows(document: Any, name: str) -> bool:
    """Whether a document has a property of that name."""
    return any(key == name for key, _ in _all_properties(document))


def _properties(document: Any) -> Iterator[tuple[str, Any]]:
    """The properties of the object that a document shows, below its wrappers, not in its lists."""
    if isinstance(document, list):
        document = document[0] if document else None
    if not isinstance(document, Mapping):
        return
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _properties(value)
        elif not isinstance(value, list) or all(isinstance(each, str) for each in value):
            yield str(name), value


def _all_properties(document: Any) -> Iterator[tuple[str, Any]]:
    yield from _properties(document)
    yield from leaves(document)


def _other(name: str, value: Any, allowed: tuple[Any, ...]) -> object | None:
    """Another value of the same type; None where none can be told."""
    said = {*words(name)}
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 4711
    if isinstance(value, str) or value is None:
        choices = [each for each in allowed if isinstance(each, str) and each != value]
        if said & {"role", "roles", "permission", "permissions", "scope", "scopes"}:
            return "admin" if value != "admin" else "superuser"
        if choices:
            return choices[-1]
        if said & {"status", "state"} and isinstance(value, str):
            return "approved" if value != "approved" else "paid"
        if said & {"plan", "tier"} and isinstance(value, str):
            return "premium" if value != "premium" else "enterprise"
    if isinstance(value, list):
        return ["admin"]
    return None


def _rank(name: str) -> int:
    said = {*words(name)}
    return 0 if said & _RIGHTS else 1 if said & _MONEY else 2 if said & _APPROVAL else 3


def _slot(prefix: str, name: str) -> Slot:
    return Slot(location="body", name=f"{prefix}{name.replace('~', '~0').replace('.', '~1')}")


def _wrapper(slots: tuple[Slot, ...]) -> str:
    """`user.` where the whole body is inside one property, `data.attributes.` where beside it
    stands only what the document prescribes (JSON:API's `type`).
    """
    inside = [(slot, slot.name.split(".")) for slot in slots if slot.location == "body"]
    prefix = ""
    while inside:
        nested = {parts[0] for _, parts in inside if len(parts) > 1}
        beside = [slot for slot, parts in inside if len(parts) == 1]
        if len(nested) != 1 or not all(_is_prescribed(slot) for slot in beside):
            break
        if any(len(parts) > 1 and parts[1].isdecimal() for _, parts in inside):
            break
        prefix += f"{nested.pop()}."
        inside = [(slot, parts[1:]) for slot, parts in inside if len(parts) > 1]
    return prefix


def _is_prescribed(slot: Slot) -> bool:
    options = slot.schema.get("enum")
    return "const" in slot.schema or (isinstance(options, list) and len(options) == 1)


def _read_only(api: Api, operation: Operation) -> Iterator[str]:
    for schema in _schemas(api, operation):
        for name, part in (schema.get("properties") or {}).items():
            if flattened(part, api.resolve).get("readOnly") is True:
                yield name


def allowed_values(
    api: Api, operation: Operation, name: str, *, shown: bool = False
) -> tuple[Any, ...]:
    """The choices that the document gives for a property: any, or those that are `shown`."""
    for schema in _schemas(api, operation, shown=shown):
        part = flattened((schema.get("properties") or {}).get(name, {}), api.resolve)
        if isinstance(part.get("enum"), list):
            return tuple(part["enum"])
    return ()


def _schemas(api: Api, operation: Operation, *, shown: bool = False) -> Iterator[Mapping[str, Any]]:
    """The object schemas of the operation's bodies, unless only what is `shown` is wanted, and of
    its successes, and those one level inside.
    """
    media = [] if shown else [body.schema for body in operation.bodies]
    for status, contents in operation.responses.items():
        media += contents.values() if status.startswith("2") else ()
    for schema in media:
        flat = flattened(schema, api.resolve)
        yield flat
        for part in (flat.get("properties") or {}).values():
            inner = flattened(part, api.resolve)
            if inner.get("properties"):
                yield inner
