"""Reads that made something each time: `GET /export` with another id whenever it is asked. Pure.

It is named and not deleted: that an id is new to the scan does not prove that the scan made it.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from withstand.client.exchange import Exchange
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import ID_WORDS, words
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import ends_in_parameter, resource_before
from withstand.openapi.resources import nouns_of
from withstand.scan.answers.shape import leaves
from withstand.scan.seen import called
from withstand.scan.wire.leftovers import may_create

_LEAST: Final = 3
_Asked = tuple[str | None, str]  # who, and for what


def made_by_reads(api: Api, base_path: str, observed: Iterable[Exchange]) -> Iterator[str]:
    """A note for each read that gave a new id every time, of a thing that the API has paths for."""
    asked: dict[_Asked, list[Exchange]] = {}
    for exchange in observed:
        is_get = exchange.request.method == "GET" and exchange.status == 200
        if is_get and not may_create(exchange):  # what says that it creates is a leftover
            asked.setdefault((exchange.identity, exchange.request.path), []).append(exchange)
    told: dict[str, list[str]] = {}
    for read, exchanges in asked.items():
        if len(exchanges) < _LEAST:
            continue
        operation = called(api, base_path, exchanges[0].request)
        if operation is None or ends_in_parameter(operation.path) or not _has_items(api, operation):
            continue
        ids = [_id_in(exchange, operation) for exchange in exchanges]
        if _all_new(ids) and not {*map(str, ids)} & _ids_elsewhere(asked, read):
            told.setdefault(operation.key, []).extend(map(str, ids))
    for key, ids_told in told.items():
        shown = ", ".join(ids_told[:10]) + (" …" if len(ids_told) > 10 else "")
        yield f"{key} gave a new id each time, so it may have created what is still there: {shown}."


def _has_items(api: Api, operation: Operation) -> bool:
    """Whether some path picks one of what the operation is about: `/exports/{id}`."""
    about = nouns_of(operation)
    return any(
        resource_before(other.path, other.path_parameters[-1].name) in about
        for other in api.operations
        if other.path_parameters
    )


def _id_in(exchange: Exchange, operation: Operation) -> object | None:
    document = exchange.response.json() if exchange.response is not None else None
    if not isinstance(document, dict):
        return None
    return identifier_in(document, "id", about=nouns_of(operation))


def _all_new(ids: list[object | None]) -> bool:
    """Whether each is another one, and numbers grow as those of new things do."""
    if None in ids or len({*map(str, ids)}) < len(ids):
        return False
    numbers = [each for each in ids if isinstance(each, int)]
    return all(one < other for one, other in pairwise(numbers))


def _ids_elsewhere(asked: dict[_Asked, list[Exchange]], read: _Asked) -> set[str]:
    """The ids in the answers to other reads: what they show was there, or was made by others."""
    return {
        str(value)
        for other, exchanges in asked.items()
        if other != read
        for exchange in exchanges
        if exchange.response is not None
        for name, value in leaves(exchange.response.json())
        if value is not None and words(name or "-")[-1] in ID_WORDS
    }
