"""What a user script's request looks like on the wire."""

import pytest

from withstand.load.script.client import AsyncCall, Call
from withstand.load.script.request import (
    OPTIONS,
    HeaderFields,
    checked_path,
    filled,
    operation_name,
    with_params,
)


def test_headers_are_found_in_any_case_and_the_newest_spelling_is_sent() -> None:
    told: list[None] = []
    fields = HeaderFields([("Accept", "a")], changed=lambda: told.append(None))
    fields["ACCEPT"] = "b"
    assert fields["accept"] == "b"
    assert fields.lines() == b"ACCEPT: b\r\n"
    del fields["Accept"]
    assert "accept" not in fields
    assert len(told) == 3


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("", "x"), ("a", "x\ny"), ("a", "\0")])
def test_a_header_that_would_break_out_of_its_line_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        HeaderFields()[name] = value


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a?b=c%20d", "/a?b=c%20d"),
        ("/a b", "/a%20b"),
        ("/ä", "/%C3%A4"),
        ("/a\r\nX: 1", "/a%0D%0AX:%201"),
        ("/a#part", "/a"),
    ],
)
def test_only_what_cannot_be_in_a_request_line_is_escaped(path: str, sent: str) -> None:
    assert checked_path(path) == sent


@pytest.mark.parametrize("path", ["", "a", "http://h/a", "//"])
def test_only_paths_are_taken(path: str) -> None:
    if path == "//":  # is one, below the host
        assert checked_path(path) == path
        return
    with pytest.raises(ValueError, match="no path on the target"):
        checked_path(path)


def test_places_are_filled_with_escaped_values() -> None:
    assert filled("/a/{b}/{b}/{c}", {"b": "x/y", "c": 7}) == "/a/x%2Fy/x%2Fy/7"


def test_parameters_are_added_to_those_that_are_there() -> None:
    assert with_params("/a?x=1", {"y": [2, 3], "z": None}) == "/a?x=1&y=2&y=3"
    assert with_params("/a", [("y", "ä")]) == "/a?y=%C3%A4"
    assert with_params("/a", {}) == "/a"


def test_names_that_are_paths_get_their_method() -> None:
    assert operation_name("GET", "/a/{id}") == "GET /a/{id}"
    assert operation_name("GET", "the start page") == "the start page"


@pytest.mark.parametrize("call", [AsyncCall, Call])
def test_every_keyword_of_a_request_is_known_as_one(call: type) -> None:
    assert set(call.__call__.__kwdefaults__ or ()) == OPTIONS
