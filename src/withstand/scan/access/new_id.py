"""The id that a new object was given, by the answer to its creation. Pure."""

from withstand.client.exchange import Response
from withstand.openapi.identifiers import (
    chosen_identifier,
    identifier_added,
    identifier_in,
    identifier_in_location,
)
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path, segments
from withstand.openapi.request_builder import Built
from withstand.openapi.resources import nouns_of
from withstand.scan.access.accounts import shows_the_user
from withstand.scan.made import places_in


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
    document = response.json()
    found = identifier_added(document, "".join(segments(producer.path)[-1:]), name)
    if found is None:
        found = identifier_in(document, name, other_than=places_in(built), about=about)
    for path in (item_path(operation.path), operation.path):
        if found is None and response.made_at and path:
            found = identifier_in_location(response.made_at, path)
    if found is None:
        found = chosen_identifier(built.request, name)
    return found
