"""Who an identity is by what the API says of it, which a scan must leave as it was. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.client.page import page_of, properties_of
from withstand.openapi.naming import canonical, words

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


def is_profile(path: str) -> bool:
    """Whether a path is what APIs call the caller's own profile."""
    last = path.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    return bool(_PROFILES.intersection(words(last)))


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
            yield from _told(value, place, depth + 1)
        elif canonical(str(name)) in _IDENTIFYING and not _is_long(value):
            yield place, value


def _is_long(value: object) -> bool:
    """Lists of things are no part of who somebody is; lists of roles are."""
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
