"""Rows of files."""

import pytest

from withstand.errors import UsageError
from withstand.load.script.feed import FeedExhausted, feed, parsed_rows


def test_a_csv_file_gives_texts_by_column() -> None:
    text = '\ufeffname,"a, b"\r\nann,1\r\n"multi\nline","\u2028"\r\n\r\n'
    assert parsed_rows(text, "x.csv") == [
        {"name": "ann", "a, b": "1"},
        {"name": "multi\nline", "a, b": "\u2028"},
    ]


def test_a_json_lines_file_gives_objects() -> None:
    assert parsed_rows('{"a": 1}\n\n{"b": [2]}\n', "x.jsonl") == [{"a": 1}, {"b": [2]}]


@pytest.mark.parametrize(
    ("text", "source", "says"),
    [
        ("a,b\n1\n", "x.csv", "line 2 of x.csv has 1 values, and the header names 2"),
        ("a,a\n1,2\n", "x.csv", "the same one twice"),
        ('a\n"x', "x.csv", "is no CSV"),
        ("a\n", "x.csv", "has no row"),
        ("", "x.jsonl", "has no row"),
        ('{"a": 1}\n[1]\n', "x.jsonl", "line 2 of x.jsonl is no JSON object"),
        ("{\n", "x.jsonl", "line 1 of x.jsonl is no JSON"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(text: str, source: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parsed_rows(text, source)


def test_the_orders() -> None:
    rows = [{"n": n} for n in range(3)]
    sequential, unique, drawn = (
        feed("x.csv", order=order) for order in ("sequential", "unique", "random")
    )
    for each in (sequential, unique, drawn):
        each.begin(rows)
    assert [sequential.next()["n"] for _ in range(5)] == [0, 1, 2, 0, 1]
    assert [unique.next()["n"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(FeedExhausted, match=r"every row of x.csv was used \(3\)"):
        unique.next()
    assert {drawn.next()["n"] for _ in range(100)} == {0, 1, 2}
    assert len(drawn) == 3


def test_what_no_feed_can_be_is_refused() -> None:
    with pytest.raises(UsageError, match="no kind of file"):
        feed("x.txt")
    with pytest.raises(UsageError, match="has the order 'any'"):
        feed("x.csv", order="any")  # type: ignore[arg-type]  # the mistake at hand


def test_a_feed_that_nobody_filled_says_where_it_belongs() -> None:
    with pytest.raises(UsageError, match="not there yet"):
        feed("x.csv").next()
