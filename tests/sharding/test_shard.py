"""Sharding: which shard a key belongs to."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.sharding import Shard, parse_shard, shard_of

KEYS = st.text(min_size=0, max_size=60)


@settings(max_examples=40, deadline=None)
@given(key=KEYS, shards=st.integers(min_value=1, max_value=40))
def test_every_key_is_in_exactly_one_shard(key: str, shards: int) -> None:
    holders = [n for n in range(1, shards + 1) if Shard(number=n, total=shards).holds(key)]

    assert holders == [shard_of(key, shards)]


@settings(max_examples=40, deadline=None)
@given(key=KEYS, shards=st.integers(min_value=1, max_value=40))
def test_a_further_shard_takes_keys_but_moves_none_between_the_others(
    key: str, shards: int
) -> None:
    before, after = shard_of(key, shards), shard_of(key, shards + 1)

    assert after in (before, shards + 1)


def test_the_shards_of_a_thousand_keys_are_even() -> None:
    counts = [0, 0, 0, 0]
    for number in range(1000):
        counts[shard_of(f"tests/test_api.py::test_{number}", 4) - 1] += 1

    # Four standard deviations of a fair split (13.7 each) around 250.
    assert all(195 <= count <= 305 for count in counts), counts


def test_a_shard_does_not_depend_on_the_process_and_its_hash_seed() -> None:
    program = (
        "from withstand.sharding import shard_of\n"
        "print([shard_of(f'tests/test_a.py::test_{n}', 7) for n in range(50)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert outputs == {f"{[shard_of(f'tests/test_a.py::test_{n}', 7) for n in range(50)]}\n"}


def test_a_key_with_a_lone_surrogate_has_a_shard() -> None:
    assert 1 <= shard_of("test_name[\ud800]", 3) <= 3


def test_a_spelled_shard_counts_from_one() -> None:
    assert parse_shard("2/4") == Shard(number=2, total=4)
    assert str(parse_shard(" 1 / 3 ")) == "1/3"


@pytest.mark.parametrize(
    "text",
    ["", "4", "1/", "a/b", "-1/4", "1/4/2", "1.0/4", pytest.param("1/" + "9" * 5000, id="long")],
)
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no shard\n.*2/4, the second of four"):
        parse_shard(text)


@pytest.mark.parametrize(
    ("number", "total", "words"),
    [
        (0, 4, r"shard 0 of 4 does not exist.*\n.*count from 0 \(pytest-shard\)"),
        (5, 4, r"shard 5 of 4 does not exist: shards count from 1 to 4"),
        (1, 0, r"the number of shards is 0 and must be at least 1"),
        (1, 20_000_000, r"the number of shards is 20000000 and must be at most 1000\n.*1/4"),
    ],
)
def test_an_impossible_shard_is_refused_with_both_numbers(
    number: int, total: int, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Shard(number=number, total=total)
