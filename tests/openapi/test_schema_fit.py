"""Fitting is what a foreign validator says, for everything that is judged here."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.openapi.schema_fit import fits, kinds_of

from .json_schema import problems
from .schemas import schemas

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1200, 1600) | st.text(max_size=12)
    | st.sampled_from([0.5, 1.0, -2.25, "abc", "ABC-1234", "red", "#336699", "a@b.cd"]),
    lambda part: st.lists(part, max_size=4)
    | st.dictionaries(st.sampled_from(["id", "name", "kind", "part", "first", "x"]), part),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None)
@given(VALUES, schemas())
def test_it_agrees_with_jsonschema(value: Any, schema: Any) -> None:
    assert fits(value, schema, lambda part: part) == (not problems(value, schema))


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (True, {"type": "integer"}),
        (1, {"enum": [True]}),
        (1.5, {"type": "integer"}),
        (float("nan"), {"type": "number"}),
        (float("inf"), {}),
        (0.3, {"multipleOf": 0.2}),
        ([1, 1], {"uniqueItems": True}),
        ([1, "x"], {"prefixItems": [{"type": "integer"}], "items": False}),
        ({}, {"minProperties": 1}),
        ({"a": 1}, {"properties": {"a": False}}),
        (b"x", {}),
    ],
)
def test_these_do_not_fit(value: object, schema: object) -> None:
    assert not fits(value, schema, lambda part: part)


def test_a_float_is_a_multiple_in_decimal_arithmetic() -> None:
    assert fits(0.3, {"multipleOf": 0.1}, lambda part: part)
    assert fits(19.99, {"multipleOf": 0.01}, lambda part: part)


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": ["string", "null"]}, ("string", "null")),
        ({"properties": {}}, ("object",)),
        ({"items": {}}, ("array",)),
        ({"format": "uuid"}, ("string",)),
        ({"minimum": 1}, ("integer", "number")),
        ({"const": True}, ("boolean",)),
        ({"enum": [1, "a"]}, ("integer", "number", "string")),
        ({}, ("string",)),
    ],
)
def test_a_schema_without_type_tells_it_by_its_other_words(
    schema: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    assert kinds_of(schema) == kinds
