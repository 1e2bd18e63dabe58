"""Values from schemas: valid by a foreign judge, plausible, recognisable, always the same."""

import json
import math
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.openapi.example_value import ExampleValues
from withstand.openapi.plausible_number import NoValueError, number_for
from withstand.openapi.plausible_text import CARD, Marks

from .json_schema import problems
from .schemas import schemas

NONCE = "ws0123456789abcdef01234567"


def value(
    schema: Any, *, name: str = "", full: bool = True, nonce: str = NONCE, **refs: Any
) -> Any:
    def resolve(part: Any) -> Any:
        return refs.get(part["$ref"].rsplit("/", 1)[-1], {}) if "$ref" in part else part

    return ExampleValues(resolve, Marks(nonce), full=full).value(schema, name=name)


@settings(max_examples=200, deadline=None)
@given(schemas(), st.booleans())
def test_every_random_schema_gets_a_valid_value(schema: Any, full: bool) -> None:
    assert problems(value(schema, full=full), schema) == ""


@settings(deadline=None)
@given(schemas())
def test_the_same_nonce_gives_the_same_value(schema: Any) -> None:
    def attempt() -> str:
        try:
            return json.dumps(value(schema))
        except NoValueError as problem:
            return str(problem)

    assert attempt() == attempt()


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("n", {"type": "integer", "example": 7, "default": 8}, 7),
        ("n", {"type": "integer", "examples": [9], "default": 8}, 9),
        ("n", {"type": "integer", "default": 8}, 8),
        ("n", {"type": "string", "enum": ["b", "a"], "example": "a"}, "a"),
        ("n", {"type": "integer", "example": "seven", "minimum": 3}, 3),
        ("n", {"const": 5}, 5),
        ("n", {"type": "array", "items": {"enum": ["x"]}, "minItems": 2}, ["x", "x"]),
        ("n", {"type": ["null", "boolean"]}, True),
        ("n", {"type": "null"}, None),
        ("is_admin", {"type": "boolean"}, False),
        ("date_of_birth", {"type": "string", "format": "date"}, "1990-01-15"),
        ("start", {"type": "string", "format": "date", "example": "2031-02-03"}, "2031-02-03"),
        ("currency", {"type": "string"}, "EUR"),
        ("zipCode", {"type": "string", "maxLength": 5}, "10115"),
        ("ip", {"type": "string", "format": "ipv4"}, "192.0.2.1"),
    ],
)
def test_a_value_is_what_the_document_or_the_name_suggests(
    name: str, schema: Any, expected: object
) -> None:
    assert value(schema, name=name) == expected


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("email", {"type": "string", "format": "email", "example": "taken@example.com"}),
        ("username", {"type": "string", "example": "taken"}),
        ("title", {"type": "string"}),
        ("note", {"type": "string", "example": "Ring twice"}),
        ("website", {"type": "string", "format": "uri"}),
        ("anything", {}),
    ],
)
def test_unique_and_free_texts_carry_the_nonce(name: str, schema: Any) -> None:
    assert NONCE in value(schema, name=name)


def test_a_free_text_keeps_its_example() -> None:
    assert value({"type": "string", "example": "Ring twice"}, name="note") == f"Ring twice {NONCE}"


def test_where_the_nonce_is_too_long_a_shorter_one_is_as_unique() -> None:
    schema = {"type": "string", "maxLength": 20}
    others = {value(schema, name="username", nonce=f"ws{number:024x}") for number in range(50)}
    assert len(others) == 50
    assert {len(text) for text in others} == {20}


@pytest.mark.parametrize("name", ["phone", "uuid", "isbn"])
def test_other_unique_texts_differ_with_the_nonce(name: str) -> None:
    schema = {"type": "string"} if name != "isbn" else {"type": "string", "pattern": r"^97\d{11}$"}
    first, second = (value(schema, name=name, nonce=f"ws{n:024x}") for n in (1, 2))
    assert first != second


def test_a_booking_is_for_one_night_and_each_request_has_another() -> None:
    def booked(nonce: str) -> tuple[date, ...]:
        names = {"check_in": "date", "check_out": "date", "startsAt": "date-time"}
        schema = {
            "type": "object",
            "properties": {name: {"type": "string", "format": f} for name, f in names.items()},
        }
        made = value(schema, nonce=nonce)
        return tuple(date.fromisoformat(made[name][:10]) for name in names)

    nights = {booked(f"ws{number:024x}") for number in range(20)}
    assert len(nights) > 15
    assert {(night[1] - night[0]).days for night in nights} == {1}
    assert all(night[0] == night[2] >= date(2030, 1, 15) for night in nights)


@pytest.mark.parametrize(
    ("name", "example", "form"),
    [
        ("number", "9876895423", r"9876\d{6}"),
        ("contact_number", "+49 170 1234567", r"\+49 \d{3} \d{7}"),
        ("phone", "+1-555-0123", r"\+1-5\d\d-\d{4}"),
        ("number", "4111111111111111", "4111111111111111"),
        ("account_number", "9876895423", "9876895423"),
    ],
)
def test_a_telephone_number_is_another_one_in_the_form_of_the_example(
    name: str, example: str, form: str
) -> None:
    schema = {"type": "string", "example": example}
    first, second = (value(schema, name=name, nonce=f"ws{n:024x}") for n in (1, 2))
    assert all(re.fullmatch(form, each) for each in (first, second))
    assert (first != second) == (form != example)


@pytest.mark.parametrize(
    ("name", "pattern", "example"),
    [
        ("phone", r"^\+1-555-01\d\d$", "+1-555-0123"),
        ("number", r"^\+49 151 \d{7}$", "+49 151 1234567"),
        ("date", r"^20[01]\d-\d\d-\d\d$", None),
        ("created_at", r"^20[01]\d-\d\d-\d\dT00$", None),
    ],
)
def test_what_is_another_one_in_each_request_is_what_the_pattern_allows(
    name: str, pattern: str, example: str | None
) -> None:
    schema = {"type": "string", "pattern": pattern}
    made = {
        value(schema | ({"example": example} if example else {}), name=name, nonce=f"ws{n:024x}")
        for n in range(20)
    }
    assert len(made) > 1
    assert all(re.fullmatch(pattern, each) for each in made)


def test_a_map_of_such_maps_is_empty() -> None:
    tree = {"type": "object", "additionalProperties": {"$ref": "#/Tree"}}
    whole = {"type": "object", "required": ["tree"], "properties": {"tree": {"$ref": "#/Tree"}}}
    assert value(whole, Tree=tree) == {"tree": {}}


def test_the_number_of_a_card_passes_as_one() -> None:
    pattern = {"type": "string", "pattern": "^[0-9]{13,19}$"}
    assert value(pattern, name="card_number") == value(pattern, name="pan") == CARD
    assert value({**pattern, "maxLength": 15}, name="card_number") != CARD


def test_full_sends_what_is_optional_but_no_read_only_or_deprecated_property() -> None:
    schema = {
        "type": "object",
        "required": ["a", "r"],
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer"},
            "r": {"type": "integer", "readOnly": True},
            "o": {"type": "integer", "readOnly": True},
            "d": {"type": "integer", "deprecated": True},
        },
    }
    assert value(schema) == {"a": 1, "b": 1}
    assert value(schema, full=False) == {"a": 1}


def test_an_optional_reference_is_not_invented() -> None:
    schema = {"properties": {"parent_id": {"type": "integer"}, "id": {"type": "string"}, "n": {}}}
    assert list(value(schema)) == ["n"]
    assert value({**schema, "required": ["parent_id"]})["parent_id"] == 1


def test_an_example_of_the_whole_body_fills_its_properties() -> None:
    schema = {
        "properties": {"size": {"type": "integer"}, "kind": {"type": "string"}},
        "example": {"size": 42, "kind": "round", "more": 1},
    }
    assert value(schema) == {"size": 42, "kind": "round"}


def test_an_object_of_unknown_shape_is_its_example() -> None:
    assert value({"type": "object", "example": {"any": ["thing"]}}) == {"any": ["thing"]}


def test_recursion_ends_where_it_may() -> None:
    node = {
        "type": "object",
        "required": ["name", "children"],
        "properties": {
            "name": {"const": "n"},
            "children": {"type": "array", "items": {"$ref": "#/Node"}},
            "parent": {"$ref": "#/Node"},
        },
    }
    assert value({"$ref": "#/Node"}, Node=node) == {"name": "n", "children": []}


def test_recursion_that_may_not_end_is_no_value() -> None:
    node = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/Node"}}}
    with pytest.raises(NoValueError, match="#/Node contains itself"):
        value({"$ref": "#/Node"}, Node=node)


def test_a_recursive_choice_takes_the_way_out() -> None:
    tree = {
        "oneOf": [
            {"type": "object", "required": ["l"], "properties": {"l": {"$ref": "#/Tree"}}},
            {"type": "integer"},
        ]
    }
    assert value({"$ref": "#/Tree"}, Tree=tree) == 1


def test_a_subtype_says_its_name_under_the_discriminator() -> None:
    pet = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": {"meow": "#/components/schemas/Cat"}},
    }
    cat = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"lives": {"const": 9}}}]}
    for reference in ("#/components/schemas/Cat", "#/components/schemas/Pet"):
        made = value({"$ref": reference}, Pet=pet, Cat=cat)
        assert made == {"kind": "meow", "lives": 9}


def test_a_subtype_with_an_enumeration_under_the_discriminator_says_what_that_has() -> None:
    kind = {"properties": {"kind": {"type": "string"}}, "discriminator": {"propertyName": "kind"}}
    tree = {"allOf": [{"$ref": "#/Plant"}, {"properties": {"kind": {"enum": ["oak", "elm"]}}}]}
    assert value({"$ref": "#/Tree"}, Plant=kind, Tree=tree) == {"kind": "oak"}


def test_of_one_of_the_alternative_that_excludes_the_others_is_taken() -> None:
    narrow = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    wide = {"type": "object", "additionalProperties": False, "properties": {"b": {"const": 1}}}
    assert value({"oneOf": [{"type": "object", "properties": {"c": {}}}, wide, narrow]}) != {}
    assert problems(value({"oneOf": [narrow, wide]}), {"oneOf": [narrow, wide]}) == ""


@pytest.mark.parametrize("unique", [True, False])
def test_the_items_of_an_array_are_those_of_its_example(unique: bool) -> None:
    schema = {"type": "array", "minItems": 2, "uniqueItems": unique, "items": {"type": "number"}}
    assert value({**schema, "example": [52.5, 13.4, 7]}) == [52.5, 13.4]
    assert value({**schema, "example": [2, 3]}) == [2, 3]
    assert len(value({**schema, "example": ["north"]})) == 2


def test_an_array_holds_one_value_twice_where_there_are_no_more() -> None:
    schema = {"type": "array", "items": {"$ref": "#/Size"}, "minItems": 3}
    assert value(schema, Size={"enum": ["small", "large"]}) == ["small", "large", "small"]


def test_unique_items_differ() -> None:
    for items in (
        {"type": "string"},
        {"type": "integer"},
        {"enum": ["a", "b", "c"]},
        {"format": "uuid"},
    ):
        made = value({"type": "array", "items": items, "minItems": 3, "uniqueItems": True})
        assert len({json.dumps(item) for item in made}) == 3
    with pytest.raises(NoValueError):
        value({"type": "array", "items": {"enum": [1]}, "minItems": 2, "uniqueItems": True})


def test_more_values_than_any_request_needs_are_not_made() -> None:
    with pytest.raises(NoValueError):
        value({"type": "array", "items": {"type": "integer"}, "minItems": 10**9})


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": []},
        {"not": {}},
        {"type": "string", "minLength": 5, "maxLength": 2},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "pattern": "^a$", "minLength": 3},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "file-or-so"},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
    ],
)
def test_what_nothing_satisfies_is_said(schema: Any) -> None:
    with pytest.raises(NoValueError):
        value(schema)


@settings(deadline=None)
@given(
    st.integers(-(10**6), 10**6),
    st.integers(1, 10**4),
    st.sampled_from([1, 2, 5, 7, 0.1, 0.25, 0.01]),
    st.booleans(),
)
def test_a_number_is_within_bounds_and_a_multiple(
    low: int, width: int, step: float, whole: bool
) -> None:
    schema = {"minimum": low, "exclusiveMaximum": low + width + 10, "multipleOf": step}
    number = number_for(schema, whole=whole)
    assert low <= number < low + width + 10
    assert math.isclose(number / step, round(number / step), rel_tol=1e-9, abs_tol=1e-6)
    assert not whole or isinstance(number, int)


def test_a_narrow_gap_between_two_bounds_is_hit() -> None:
    schema = {"exclusiveMinimum": 0, "exclusiveMaximum": 0.001}
    assert 0 < number_for(schema, whole=False) < 0.001


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "integer"}},
         "additionalProperties": False, "minProperties": 2},
        {"type": "object", "propertyNames": {"pattern": "^[A-Z]{3}$"}, "minProperties": 1},
        {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "minProperties": 2,
         "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"card": TEXT, "address": TEXT}, "required": ["card"],
         "dependentRequired": {"card": ["address"]}},
        {"type": "object", "properties": {"kind": {"enum": ["firm"]}, "vat": TEXT},
         "required": ["kind"], "if": {"properties": {"kind": {"const": "firm"}}},
         "then": {"required": ["vat"]}},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"const": "x"}], "minItems": 2},
        {"type": "string", "pattern": "^[0-9a-f]+$", "minLength": 40, "maxLength": 40},
        {"oneOf": [{"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]},
                   {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["b"]}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("full", [True, False])
def test_the_rarer_keywords_are_obeyed(schema: Any, full: bool) -> None:
    assert problems(value(schema, full=full), schema) == ""


def test_a_pattern_that_takes_for_ever_is_not_waited_for() -> None:
    schema = {"type": "string", "pattern": r"^(([a-z0-9]+)*)+!$", "example": "a" * 60}
    assert isinstance(value(schema, name="code"), str)


def test_a_literal_of_javascript_is_taken_for_the_pattern_in_it() -> None:
    assert len(value({"type": "string", "pattern": "/^[a-z]{3}$/i"}, name="code")) == 3


def test_an_example_of_another_format_is_not_sent() -> None:
    made = value({"type": "string", "format": "uuid", "example": "abc"}, name="trip_id")
    assert len(made) == 36
