"""An object of the scan's own, and the id that it was given. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from withstand.client.exchange import Exchange, Response
from withstand.client.identity import Identity
from withstand.openapi.identifiers import identifier_in, identifier_in_location
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path
from withstand.openapi.request_builder import Built
from withstand.openapi.resources import nouns_of
from withstand.scan.accounts import shows_the_user


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An object that an identity created for a check.

    `canaries` are texts in it that are found nowhere else; `identifier` is the value of the last
    path parameter of the operations that work on it; `places` the values of those before it, by
    the path up to each (`/orders/{}`).
    """

    by: Identity | None
    producer: Operation
    built: Built
    exchange: Exchange
    identifier: object
    canaries: tuple[str, ...]
    places: Mapping[str, object] = field(default_factory=dict)


def places_in(built: Built) -> frozenset[str]:
    """The values in a request's path: no ids of what it makes."""
    return frozenset(str(v) for slot, v in built.values.items() if slot.location == "path")


def id_of_new(
    operation: Operation,
    producer: Operation,
    built: Built,
    response: Response,
    name: str,
    *,
    signs_up: bool,
) -> object | None:
    """What the operation's parameter `name` is for the thing that the answer is about; None where
    it does not say. `signs_up`: it is a user, and the answer may be about something else.
    """
    if signs_up and not shows_the_user(built.request, response):
        return None
    about = nouns_of(operation) if signs_up else nouns_of(operation, producer)
    found = identifier_in(response.json(), name, other_than=places_in(built), about=about)
    for path in (item_path(operation.path), operation.path):
        if found is None and response.made_at and path:
            found = identifier_in_location(response.made_at, path)
    return found
