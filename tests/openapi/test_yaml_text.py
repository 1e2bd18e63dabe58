"""YAML by the core schema of 1.2, whatever the bytes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.openapi.yaml_text import YamlSyntaxError, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("-12", -12),
        ("1e3", 1000.0),
        ("3.0", 3.0),
        ("'true'", "true"),
        ('"7"', "7"),
        ("!!str 7", "7"),
        ("|\n  true\n", "true\n"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    assert read_yaml(text) == value
    assert type(read_yaml(text)) is type(value)


def test_scalars_in_braces_are_read_like_those_on_lines_of_their_own() -> None:
    assert read_yaml("{a: true, b: [1, x], c: {d: null}}") == {
        "a": True,
        "b": [1, "x"],
        "c": {"d": None},
    }


def test_keys_stay_the_text_that_they_are() -> None:
    assert read_yaml("200: a\ntrue: b\n~: c\n1.10: d") == {
        "200": "a",
        "true": "b",
        "~": "c",
        "1.10": "d",
    }


def test_an_alias_is_its_anchor_and_a_merge_adds_what_is_not_there() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nagain: *b\nlist: {<<: [*b, {z: 9}]}"
    read = read_yaml(text)
    assert read["more"] == {"y": 3, "x": 1}
    assert read["again"] == {"x": 1, "y": 2}
    assert read["list"] == {"x": 1, "y": 2, "z": 9}


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: [1, 2", "expected", 2),
        ("a: 1\n a: : 2", "mapping values", 2),
        ("a: *nothing", "undefined|no value", 1),
        ("a: &x [*x]", "undefined|no value", 1),
        ("--- 1\n--- 2", "more than one document", 2),
        ("? [1, 2]\n: 3", "a key is no text", 1),
        ("a: \x07", "not allowed", None),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(text: str, problem: str, line: int | None) -> None:
    with pytest.raises(YamlSyntaxError, match=problem) as caught:
        read_yaml(text)
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 5_000, "{a: " * 3_000, "? " * 3_000])
def test_nesting_without_end_is_an_error_and_not_the_end_of_the_process(text: str) -> None:
    # Newer releases of the YAML library have a limit of their own.
    with pytest.raises(YamlSyntaxError, match=r"deeper than 200|maximum nesting depth"):
        read_yaml(text)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii")),
        lambda part: st.lists(part) | st.dictionaries(st.text(st.characters(codec="ascii")), part),
        max_leaves=10,
    )
)
def test_json_with_its_spaces_is_read_as_json_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert read_yaml(text) == json.loads(text)
