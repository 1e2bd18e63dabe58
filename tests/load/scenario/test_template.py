"""Placeholders: where values go and how they are written there."""

import json
from itertools import islice
from urllib.parse import parse_qs

import pytest

from withstand.errors import UsageError
from withstand.load.scenario.feed_table import FeedTable, feed_table
from withstand.load.scenario.template import (
    FeedReader,
    Filled,
    Piece,
    Place,
    Slot,
    Template,
    form_pieces,
    json_pieces,
    pieces,
    written,
)

NASTY = 'a/b c&d="é"\\%s{x.y}\n'


def reader(**columns: tuple[object, ...]) -> FeedReader:
    return FeedReader({"f": FeedTable(source="f.csv", columns=columns)})


def one(parts: tuple[Piece, ...], value: object) -> bytes:
    return b"".join(
        part if isinstance(part, bytes) else written(value, part.place) for part in parts
    )


def test_a_value_in_a_path_is_percent_encoded_and_the_rest_stays_as_written() -> None:
    parts = pieces("/a%20b/{f.x}?q={f.x}&{id}", Place.PATH)
    assert one(parts, NASTY).startswith(
        b"/a%20b/a%2Fb%20c%26d%3D%22%C3%A9%22%5C%25s%7Bx.y%7D%0A?q="
    )
    assert one(parts, "v") == b"/a%20b/v?q=v&{id}"


def test_json_stays_json_whatever_the_value() -> None:
    document = {"k{f.x}": ["<{f.x}>", "{f.x}", 1, None, True, {"{{f.x}}": "%"}]}
    parts = tuple(json_pieces(document))
    assert json.loads(one(parts, NASTY)) == {
        f"k{NASTY}": [f"<{NASTY}>", NASTY, 1, None, True, {"{f.x}": "%"}]
    }


def test_a_value_that_is_all_of_a_text_keeps_its_kind() -> None:
    assert json.loads(one(tuple(json_pieces({"n": "{f.x}", "t": "{f.x}!"})), 7)) == {
        "n": 7,
        "t": "7!",
    }
    assert json.loads(one(tuple(json_pieces(["{f.x}"])), {"a": [1]})) == [{"a": [1]}]


def test_a_column_of_text_may_hold_json() -> None:
    assert json.loads(one(tuple(json_pieces({"n": "{f.x:json}"})), "7.5")) == {"n": 7.5}
    with pytest.raises(ValueError, match="is no JSON"):
        written("seven", Place.JSON_TEXT)
    with pytest.raises(UsageError, match="JSON value"):
        pieces("/{f.x:json}", Place.PATH)


def test_a_form_stays_a_form() -> None:
    parts = tuple(form_pieces({"a b": "x&{f.x}", "c": "{f.x}"}))
    assert parse_qs(one(parts, NASTY).decode()) == {"a b": [f"x&{NASTY}"], "c": [NASTY]}


def test_a_header_takes_no_line_break() -> None:
    with pytest.raises(ValueError, match="line break"):
        written("a\r\nX-Evil: 1", Place.HEADER)


def test_double_braces_mean_the_text() -> None:
    assert pieces("{{f.x}}", Place.BODY) == (b"", b"{f.x}", b"")
    assert pieces("{{f.x}}", Place.PATH)[1] == b"{f.x}"


def test_filled_requests_are_exact_and_say_how_long_they_are() -> None:
    template = Template(
        head=(b"POST /100%/", Slot("f", "x", Place.PATH), b" HTTP/1.1"),
        body=(b"100% ", Slot("f", "x", Place.BODY)),
    )
    assert list(islice(reader(x=("a", "é")).fillings(template), 3)) == [
        b"POST /100%/a HTTP/1.1\r\nContent-Length: 6\r\n\r\n100% a",
        b"POST /100%/%C3%A9 HTTP/1.1\r\nContent-Length: 7\r\n\r\n100% \xc3\xa9",
        b"POST /100%/a HTTP/1.1\r\nContent-Length: 6\r\n\r\n100% a",
    ]


def test_a_body_without_gaps_keeps_the_length_that_its_head_says() -> None:
    template = Template(
        head=(b"POST /", Slot("f", "x", Place.PATH), b" HTTP/1.1\r\nContent-Length: 2"),
        body=(b"%d",),
    )
    assert next(reader(x=("a",)).fillings(template)) == (
        b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n%d"
    )


def test_values_of_one_request_are_of_one_row_and_each_request_takes_the_next() -> None:
    feeds = reader(x=("1", "2", "3"), y=("a", "b", "c"))
    both = Template(head=(Slot("f", "x", Place.PATH), Slot("f", "y", Place.PATH)))
    other = Template(head=(Slot("f", "x", Place.PATH),))
    first, second = feeds.fillings(both), feeds.fillings(other)
    filled = [next(first), next(second), next(first), next(first)]
    assert [data.removesuffix(b"\r\n\r\n") for data in filled] == [b"1a", b"2", b"3c", b"1a"]


def test_numbers_count_over_all_requests_and_shards() -> None:
    template = Template(head=(Slot("request", "number", Place.PATH),))
    seen = []
    for shard in range(2):
        numbers = FeedReader({}, shard=shard, shards=2).fillings(template)
        seen += [next(numbers).strip() for _ in range(3)]
    assert sorted(seen) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_templates_are_filled_in_turn_and_their_bytes_are_counted() -> None:
    feeds = FeedReader({"f": feed_table("x\n1\n22\n", source="f.csv")})
    gap = Slot("f", "x", Place.PATH)
    filled = Filled([Template(head=(b"A", gap)), Template(head=(b"B", gap))], feeds)
    given = [next(filled) for _ in range(3)]
    assert given == [b"A1\r\n\r\n", b"B22\r\n\r\n", b"A1\r\n\r\n"]
    assert filled.bytes_given == sum(map(len, given))
