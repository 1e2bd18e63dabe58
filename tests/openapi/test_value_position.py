"""Positions of values: kept between requests, but not those that no later request reaches."""

from typing import Any

from withstand.openapi.value_position import Position


def position(schema: Any) -> Position:
    return Position(schema, lambda part: part)


def test_a_free_property_has_one_position_for_all_requests() -> None:
    whole = position({"type": "object"})
    assert whole.free("key1", True) is whole.free("key1", True)


def test_of_names_that_each_request_makes_anew_only_some_are_kept() -> None:
    whole = position({"type": "object"})
    for number in range(1000):
        whole.free(f"x-{number}", True)
    assert whole.free("x-1", True) is whole.free("x-1", True)
    assert whole.free("x-999", True) is not whole.free("x-999", True)
