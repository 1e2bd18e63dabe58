"""Schemas that must hold together."""

from typing import Any

import pytest

from withstand.openapi.schema_merge import NEVER, flattened, merged


def itself(schema: Any) -> Any:
    return schema


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"minimum": 1}, {"minimum": 3}, {"minimum": 3}),
        ({"maxLength": 9}, {"maxLength": 5}, {"maxLength": 5}),
        ({"required": ["a"]}, {"required": ["b", "a"]}, {"required": ["a", "b"]}),
        ({"type": "number"}, {"type": "integer"}, {"type": ["integer"]}),
        ({"enum": [1, 2, 3]}, {"enum": [3, 2]}, {"enum": [2, 3]}),
        ({"multipleOf": 4}, {"multipleOf": 6}, {"multipleOf": 12}),
        (
            {"additionalProperties": False},
            {"additionalProperties": {}},
            {"additionalProperties": False},
        ),
        ({"readOnly": True}, {"readOnly": False}, {"readOnly": True}),
        ({"items": {"a": 1}}, {"items": {"b": 2}}, {"items": {"allOf": [{"a": 1}, {"b": 2}]}}),
        ({"default": 1}, {"default": 2}, {"default": 2}),
        (
            {"properties": {"a": {"type": "string"}, "b": {}}},
            {"properties": {"a": {"minLength": 2}}},
            {"properties": {"a": {"allOf": [{"type": "string"}, {"minLength": 2}]}, "b": {}}},
        ),
    ],
)
def test_the_narrower_bound_wins(one: Any, other: Any, both: Any) -> None:
    assert merged(one, other) == both


def test_both_versions_leave_in_the_words_of_3_1() -> None:
    schema = {"type": "integer", "nullable": True, "minimum": 1, "exclusiveMinimum": True}
    assert flattened(schema, itself) == {"type": ["integer", "null"], "exclusiveMinimum": 1}
    assert flattened({"maximum": 2, "exclusiveMaximum": False}, itself) == {"maximum": 2}


def test_true_allows_anything_and_false_nothing() -> None:
    assert flattened(True, itself) == {}
    assert flattened(False, itself) == NEVER


def test_an_all_of_that_contains_itself_comes_to_an_end() -> None:
    endless: dict[str, Any] = {"type": "object"}
    endless["allOf"] = [endless]
    assert flattened(endless, itself)["type"] == "object"


def test_of_two_open_choices_the_second_is_settled() -> None:
    schema = {"allOf": [{"oneOf": [{"a": 1}, {"b": 1}]}, {"oneOf": [{"c": 1}, {"d": 1}]}]}
    assert flattened(schema, itself) == {"oneOf": [{"a": 1}, {"b": 1}], "c": 1}
