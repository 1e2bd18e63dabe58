"""Reading path templates such as `/orders/{id}/items`. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

from withstand.openapi.naming import canonical, is_plural, noun

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_SELF = frozenset({"me", "self", "whoami", "profile", "account", "current"})


# Remembered, because whoever looks for related operations asks for the same paths again and again:
# of a document with two thousand operations millions of times.
@lru_cache(maxsize=16_384)
def segments(path: str) -> tuple[str, ...]:
    """The parts between the slashes."""
    return tuple(part for part in path.split("/") if part)


def parameter_in(segment: str) -> str | None:
    """The name of the first parameter in a segment."""
    match = _PARAMETER.search(segment)
    return match[1] if match else None


def address_of(path: str) -> str:
    """What of a path is sent: `/api` of `/api#action=deleteOrder`, where the body says the rest."""
    return path.partition("#")[0]


@lru_cache(maxsize=16_384)
def shape(path: str) -> str:
    """The path with its parameters unnamed: `/orders/{id}/` and `/orders/{oid}` are one."""
    return _PARAMETER.sub("{}", "/" + "/".join(segments(path)))


@lru_cache(maxsize=16_384)
def item_path(path: str) -> str | None:
    """The path up to its last parameter: `/orders/{id}/cancel` → `/orders/{id}`."""
    parts = segments(path)
    for end in range(len(parts), 0, -1):
        if parameter_in(parts[end - 1]):
            return "/" + "/".join(parts[:end])
    return None


def collection_path(path: str) -> str | None:
    """The path before its last parameter: `/orders/{id}/cancel` → `/orders`."""
    item = item_path(path)
    return None if item is None else "/" + "/".join(segments(item)[:-1])


@lru_cache(maxsize=16_384)
def ends_in_parameter(path: str) -> bool:
    """Whether a path ends in what picks one thing."""
    return bool(parameter_in("".join(segments(path)[-1:])))


def resource_of(path: str) -> str:
    """What its responses are about: `/orders/{id}/cancel` → `order`, `/users/me` → `user`."""
    parts = segments(path)
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if parameter_in(part):
            continue
        before = parts[at - 1] if at else ""
        if part.lower() in _SELF:
            return noun(before) if before and is_plural(before) else "user"
        if at and parameter_in(before) and not is_plural(part):
            continue  # an action on the item before it
        return noun(part)
    return ""


def resource_before(path: str, name: str) -> str:
    """What the parameter of that name picks one of: `order` for `id` in `/orders/{id}`."""
    before = ""
    for part in segments(path):
        inside = parameter_in(part)
        if inside is None:
            before = part
        elif canonical(inside) == canonical(name):
            return noun(before) if before else ""
    return ""


def parameters_in(path: str) -> tuple[str, ...]:
    """The names of all parameters, in order."""
    return tuple(_PARAMETER.findall(path))


def calls(template: str, path: str) -> bool:
    """Whether a request's path calls a template: `/api.php?action=view&id=7` of the template
    `/api.php?action=view`, `/orders/7` of `/orders/{id}`.
    """
    address, _, query = address_of(template).partition("?")
    asked, _, sent = path.partition("?")
    return {*query.split("&")} - {""} <= {*sent.split("&")} and bool(
        _pattern(address.rstrip("/")).fullmatch(asked.rstrip("/"))
    )


def values_in(template: str, path: str) -> Mapping[str, str]:
    """What a path has in place of the template's parameters; nothing when it is another path.

    The path may begin with more segments than the template: the API's base path.
    """
    wanted, given = segments(template), segments(path.split("?", 1)[0])
    if len(given) < len(wanted):
        return {}
    found: dict[str, str] = {}
    for part, text in zip(reversed(wanted), reversed(given), strict=False):
        names = _PARAMETER.findall(part)
        pieces = [re.escape(piece) for piece in _PARAMETER.split(part)[::2]]
        match = re.fullmatch("(.+?)".join(pieces), text)
        if match is None:
            return {}
        # The last segment is met first, but the parameters are told in the path's order.
        found = {**dict(zip(names, map(unquote, match.groups()), strict=True)), **found}
    return found


@lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(piece) for piece in pieces))
