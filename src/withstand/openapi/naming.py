"""How names in paths, parameters and properties correspond: `orderId` and `/orders/{id}`. Pure."""

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(r"(get|fetch|create|update|delete|remove)(?!d[^aeiouhr])([a-z]{4,})")
_SINGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "data": "data",
}
_ALIKE = frozenset({"series", "species", "news", "status", "address", "me"})
ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "pk", "identifier", "oid", "uid"})
"""Last words that make a name an identifier."""
PLAIN_IDS = ("id", "uuid", "guid", "pk", "identifier", "uid")
"""What a thing calls its own id, the likeliest first."""
REFERENCE_WORDS = ID_WORDS | {"sku", "slug", "ref", "reference", "handle", "isbn", "ean"}
"""Last words of a name that points to a thing which has to exist."""

KEY_WORDS = REFERENCE_WORDS | {"number", "code", "key", "no", "nr", "num", "hash", "username"}
"""Last words of a name under which one thing may be picked where it has no id: `orderNumber`."""

CREATE_WORDS = ("create", "new", "add", "register", "signup")
READ_WORDS = frozenset({"get", "view", "show", "detail", "details", "read", "fetch", "find"}) | {
    "lookup"
}
REMOVE_WORDS = frozenset({"delete", "remove", "destroy"})
LIST_WORDS = frozenset({"list", "all", "index"})
CHANGE_WORDS = frozenset({"edit", "update", "modify", "change", "save"})
RECIPIENT_WORDS = frozenset(
    {"to", "target", "recipient", "receiver", "destination", "dest", "payee", "beneficiary"}
)
"""What an input says of who, or what, gets something: `to_email`."""
_RELATIONS = frozenset(
    {"from", "to", "source", "target", "destination", "dest", "origin", "sender", "recipient"}
    | {"receiver", "debit", "credit", "payer", "payee", "parent", "linked", "related"}
)
"""What an input says of a thing that it names without saying "id": `fromAccount`."""
VERBS = READ_WORDS | REMOVE_WORDS | LIST_WORDS | CHANGE_WORDS | {*CREATE_WORDS}
"""What paths say is done: `/order/view/{id}`, `/deleteOrder`."""


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`orderId`, `order_id` and `Order-ID` are all ("order", "id")."""
    return tuple(word.lower() for word in _WORD.findall(name)) or (name.lower(),)


@lru_cache(maxsize=4096)
def words_of_call(name: str) -> tuple[str, ...]:
    """The same where a verb may stand before its noun without anything between: `deleteorder`."""
    found: list[str] = []
    for word in words(name):
        glued = _GLUED.fullmatch(word)
        found += glued.groups() if glued else (word,)
    return tuple(found)


def canonical(name: str) -> str:
    """The one spelling under which a name is kept: `order_id`."""
    return "_".join(words(name))


def singular(word: str) -> str:
    """The singular of an English noun, as far as endings tell."""
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word in _ALIKE or len(word) < 3 or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("uses") and not word.endswith(("ouses", "auses", "fuses", "cuses")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def noun(text: str) -> str:
    """What a path segment or property calls one thing: `order-items` → `order_item`."""
    *before, last = words(text)
    return "_".join((*before, singular(last)))


def thing_named(name: str) -> str | None:
    """The thing that an input names beside another of its kind: `account` for `fromAccount`."""
    *role, last = words(name)
    return singular(last) if len(role) == 1 and role[0] in _RELATIONS else None


def is_plural(text: str) -> bool:
    """Whether the last word of a name is a plural."""
    last = words(text)[-1]
    return singular(last) != last


def names_several(segment: str) -> bool:
    """Whether a path segment names several things, `orders`; `storeDetails` is a call."""
    return segment.islower() and is_plural(segment)


def is_identifier(name: str) -> bool:
    """Whether a name is an identifier: `id`, `order_id`, `orderId`, `uuid`."""
    return words(name)[-1] in ID_WORDS


def is_reference(name: str) -> bool:
    """Whether a name points to a thing that has to exist: `product_id`, `sku`."""
    return words(name)[-1] in REFERENCE_WORDS


def is_key_of(thing: str, name: str) -> bool:
    """Whether a property may pick one of the things that have it; `order_id` of an item picks an
    order.
    """
    *prefix, last = words(name)
    elsewhere = prefix and last in ID_WORDS and noun("_".join(prefix)) != thing
    return last in KEY_WORDS and not elsewhere
