"""Where things were seen, so that the ids in a path belong together: a member and its team. Pure.

`/projects/{id}/members/{n}` and `/teams/{id}/members/{n}` both pick members, but not the same ones.
"""

from collections import deque
from collections.abc import Mapping
from urllib.parse import quote

from withstand.openapi.naming import canonical
from withstand.openapi.path_template import parameters_in, resource_before, shape

Place = tuple[str, ...]
"""The shape of a collection's path and the ids in it: `("/teams/{}/members", "7")`."""
_MOST_THINGS = 10_000
_PER_THING = 4


class Places:
    """The latest places of each thing that is in another one, by its kind and id. Mutable."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, str], deque[Place]] = {}  # by shape: ids are given twice

    def put(self, thing: str, value: object, place: Place) -> None:
        """The thing was seen there."""
        if len(place) < 2:
            return
        key = thing, str(value), place[0]
        if key not in self._of and len(self._of) >= _MOST_THINGS:
            return
        places = self._of.setdefault(key, deque(maxlen=_PER_THING))
        if place in places:
            places.remove(place)
        places.appendleft(place)

    def around(
        self, thing: str, value: object, path: str, name: str, chosen: Mapping[str, object]
    ) -> Mapping[str, str] | None:
        """What the thing is in, by the path's names in their order, where `name` picks it in a
        path: `{"id": "7"}` for a member of `/teams/{id}/members/{n}`. None where it was not seen
        there, or not in what is `chosen`.
        """
        before = path_before(path, name)
        names = [canonical(each) for each in parameters_in(before)]
        wanted = {each: str(chosen[each]) for each in names if each in chosen}
        for place in self._of.get((thing, str(value), shape(before)), ()):
            found = dict(zip(names, place[1:], strict=True))
            if found.items() >= wanted.items():
                return found
        return None


def path_before(path: str, name: str) -> str:
    """A path up to a parameter: `/teams/{id}/members/`; nothing where it has no such parameter."""
    before, found, _ = path.partition("{" + name + "}")
    return before if found else ""


def shape_to(path: str, name: str) -> str:
    """A path up to and with a parameter, unnamed: what `id` picks in `/orders/{id}/items` is
    `/orders/{}`, whatever it is called in other operations.
    """
    return shape(path_before(path, name) + "{}")


def place_in(path: str, values: Mapping[str, str]) -> Place:
    """The place with these ids in a collection's path; one without ids where some are missing."""
    ids = [values.get(name, "") for name in parameters_in(path)]
    return (shape(path), *ids) if all(ids) else (shape(path),)


def place_of_answer(path: str, thing: str, values: Mapping[str, str]) -> Place:
    """Where the things are that an operation's answer is about."""
    last = "".join(parameters_in(path)[-1:])
    on_one = bool(last) and resource_before(path, last) == thing
    return place_in(path_before(path, last) if on_one else path, values)


def place_within(place: Place, value: object, name: str) -> Place:
    """The place of what one of the things has under a name: `items` of the order 7."""
    return f"{place[0]}/{{}}/{quote(name, safe='')}", *place[1:], str(value)
