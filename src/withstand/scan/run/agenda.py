"""What a scan still has to judge: pairs of a check and an operation, each ticked off once. Pure."""

from collections.abc import Iterable, Iterator

from withstand.openapi.operation import Operation
from withstand.scan.check import Check

Item = tuple[Check, Operation | None]
"""A check and the operation that it is run for; None for the whole API."""


class Agenda:
    """Items in order. Ticking one off takes the same time however many there are."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {place_of(item): item for item in items}

    def __iter__(self) -> Iterator[Item]:
        return iter(tuple(self._items.values()))

    def __contains__(self, item: Item) -> bool:
        return place_of(item) in self._items

    def __bool__(self) -> bool:
        return bool(self._items)

    def remove(self, item: Item) -> None:
        """Ticks an item off, if it is not yet."""
        self._items.pop(place_of(item), None)


def place_of(item: Item) -> tuple[str, str | None]:
    """The name of the check and the key of the operation, by which files name a test."""
    check, operation = item
    return check.name, operation.key if operation is not None else None
