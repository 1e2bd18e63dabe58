"""The feeds of a scenario: columns, and whose turn it is."""

from itertools import islice

import pytest

from withstand.errors import UsageError
from withstand.load.scenario.feed_table import FeedOrder, FeedTable, feed_table


def numbered(rows: int, order: FeedOrder = FeedOrder.SEQUENTIAL) -> FeedTable:
    return FeedTable(source="t.csv", columns={"n": tuple(range(rows))}, order=order)


def test_a_csv_file_has_text_by_column() -> None:
    feed = feed_table("name,age\nAnn,7\nBob,8\n", source="u.csv")
    assert feed.columns == {"name": ("Ann", "Bob"), "age": ("7", "8")}
    assert feed.rows == 2


def test_a_json_lines_file_keeps_the_kind_of_its_values() -> None:
    feed = feed_table('{"a": 1, "b": [true]}\n\n{"b": null, "a": "x"}\n', source="u.jsonl")
    assert feed.columns == {"a": (1, "x"), "b": ([True], None)}


def test_a_row_without_the_keys_of_the_others_is_told() -> None:
    with pytest.raises(UsageError, match=r"row 2 of u.jsonl has not the keys .* \(b\)"):
        feed_table('{"a": 1}\n{"a": 1, "b": 2}', source="u.jsonl")


def test_rows_come_in_sequence_and_again() -> None:
    assert list(islice(numbered(3).turns(), 7)) == [0, 1, 2, 0, 1, 2, 0]


def test_shards_share_the_rows_out() -> None:
    taken = [list(islice(numbered(5).turns(shard=k, shards=2), 6)) for k in range(2)]
    assert taken == [[0, 2, 4, 0, 2, 4], [1, 3, 1, 3, 1, 3]]


def test_of_fewer_rows_than_shards_nobody_goes_without() -> None:
    assert list(islice(numbered(1).turns(shard=1, shards=2), 2)) == [0, 0]


def test_random_rows_are_all_taken_and_differ_by_shard_but_not_by_run() -> None:
    feed = numbered(4, FeedOrder.RANDOM)
    first = list(islice(feed.turns(seed=7), 100))
    assert set(first) == {0, 1, 2, 3}
    assert first == list(islice(feed.turns(seed=7), 100))
    assert first != list(islice(feed.turns(seed=7, shard=1, shards=2), 100))
