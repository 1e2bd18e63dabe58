"""What of somebody's is no longer as it was, by two answers to the same read."""

from typing import Any

import pytest

from withstand.scan.answers.belongings import belongings_in, changed, is_shared
from withstand.scan.examples import answer


def places(before: Any, after: Any) -> list[str]:
    return list(changed(belongings_in(answer(200, before)), belongings_in(answer(200, after))))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"balance": 100}, {"balance": 90}, ["$.balance"]),
        ({"plan": {"name": "gold"}}, {"plan": None}, ["$.plan.name"]),
        ([{"id": 7, "state": "dry"}], [{"id": 7, "state": "wet"}], ["$[7].state"]),
        ({"items": [{"id": 7, "a": 1}, {"id": 8}]}, {"items": [{"id": 8}]}, ["$.items[7]"]),
    ],
)
def test_another_value_and_what_is_gone_are_changes(before: Any, after: Any, found: Any) -> None:
    assert places(before, after) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"id": 7}], [{"id": 8}, {"id": 7}]),  # added
        ([{"id": 6}, {"id": 7}], [{"id": 8}, {"id": 6}]),  # pushed off the page
        ({"total": 1, "unread_count": 0}, {"total": 2, "unread_count": 3}),
        ({"stamp": "2030-01-02T03:04:05Z"}, {"stamp": "2030-01-02T03:09:05Z"}),
        ({"checked": 1_900_000_000}, {"checked": 1_900_000_200}),
        ({"a": 1}, {"a": 1, "b": 2}),
    ],
)
def test_what_was_added_and_what_moves_by_itself_is_no_change(before: Any, after: Any) -> None:
    assert places(before, after) == []


def test_what_another_is_shown_as_well_is_nobodys_own() -> None:
    stock, fewer, empty = {"$[7].stock": 5}, {"$[7].stock": 4}, dict[str, object]()
    assert is_shared("$[7].stock", (stock, fewer), (stock, fewer))
    assert not is_shared("$[7].stock", (stock, fewer), (stock, stock))
    assert not is_shared("$[7].stock", (stock, empty), (empty, empty))
