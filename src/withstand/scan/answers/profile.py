"""Who an identity is by what the API says of it, which a scan must leave as it was. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.client.page import page_of, properties_of
from withstand.openapi.naming import READ_WORDS, canonical, noun, words, words_of_call
from withstand.openapi.operation import Operation, RequestBody

Profile = Mapping[str, object]
"""JSON path → value, of what identifies somebody; counters and times are left out."""

_IDENTIFYING: Final = frozenset(
    {
        "id", "uuid", "user_id", "email", "mail", "email_address", "username", "user_name", "login",
        "name", "first_name", "last_name", "full_name", "display_name", "phone", "role", "roles",
        "user_role", "admin", "is_admin", "is_staff", "is_superuser", "active", "is_active",
        "enabled", "disabled", "locked", "banned", "verified", "email_verified", "permissions",
        "scopes", "groups", "tenant", "tenant_id", "user",
    }
)  # fmt: skip
_PROFILES: Final = frozenset(
    {"me", "self", "whoami", "profile", "account", "userinfo", "current", "user", "session"}
)
_WHO: Final = frozenset(
    {"me", "self", "myself", "whoami", "userinfo", "currentuser", "loggedinuser"}
)
"""What a call says that does nothing but tell who calls it, without a verb."""
_PROFILE: Final = frozenset({"profile", "account", "user", "userprofile", "accountinfo"})
"""What it says beside a verb: `getMyProfile`."""
_BESIDES: Final = READ_WORDS | {"my", "own", "the"}
_SHAPES_ONLY: Final = frozenset({"type", "title", "description", "additionalProperties"})
_WRAPPERS: Final = frozenset(
    {"data", "result", "response", "payload", "content", "attribute", "item", "resource", "detail"}
    | {"info", "body", "output"}
)
"""Under what a profile stands that is not at the top; other parts, as an address, are not it."""


def is_profile(path: str) -> bool:
    """Whether a path is what APIs call the caller's own profile."""
    last = _last(path)
    return bool(_PROFILES.intersection(words(last))) or _asked(last) in _WHO


def asks_who(operation: Operation) -> bool:
    """Whether an operation tells who calls it and does nothing else: `GET /me`, `POST /whoAmI`.

    A POST has to say so by its last word, and takes no input: `POST /me` with one changes it.
    """
    if operation.path_parameters or operation.method not in {"GET", "POST"}:
        return False
    if operation.method == "GET":
        return is_profile(operation.path)
    last = _last(operation.path)
    verb = bool(READ_WORDS.intersection(words_of_call(last)))
    named = _asked(last) in (_WHO | _PROFILE if verb else _WHO)
    return named and not operation.parameters and all(map(_is_empty, operation.bodies))


def profile_in(response: Response) -> Profile:
    """What identifies somebody in a response; empty where it holds nothing of the kind."""
    page = page_of(response)
    shown = properties_of(page) if page is not None else response.json()
    return dict(_told(shown, "$", 0))


def differences(before: Profile, after: Profile) -> tuple[str, ...]:
    """The JSON paths whose values are not what they were; none where nothing was known."""
    if not before:
        return ()
    return tuple(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def _told(node: Any, path: str, depth: int) -> Iterator[tuple[str, object]]:
    if not isinstance(node, Mapping) or depth > 2:
        return
    for name, value in node.items():
        place = f"{path}.{name}"
        if isinstance(value, Mapping):
            if noun(str(name)) in _WRAPPERS or _PROFILES.intersection(words(str(name))):
                yield from _told(value, place, depth + 1)
        elif canonical(str(name)) in _IDENTIFYING and not _is_long(value):
            yield place, value


def _is_long(value: object) -> bool:
    """Lists of things are no part of who somebody is; lists of roles are."""
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _last(path: str) -> str:
    """The last thing that a path says, of `/api.php?action=whoAmI` the action."""
    address, _, query = path.partition("?")
    return query.rpartition("=")[2] or address.rstrip("/").rpartition("/")[2]


def _asked(last: str) -> str:
    """What is asked for, in one word: `getCurrentUser` → `currentuser`."""
    return "".join(word for word in words_of_call(last) if word not in _BESIDES)


def _is_empty(body: RequestBody) -> bool:
    """Whether a body says nothing: an object without properties."""
    return not any(value for key, value in body.schema.items() if key not in _SHAPES_ONLY)
