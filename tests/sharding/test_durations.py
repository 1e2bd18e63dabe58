"""The file of durations: what goes in comes out, and a plan depends on nothing else."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.sharding.durations import (
    SuiteDurations,
    Timing,
    durations_text,
    parse_durations,
)
from withstand.sharding.member import Member

DAY = date(2026, 11, 1)
A, B, C = (Member(nodeid=f"tests/test_x.py::test_{name}") for name in "abc")
names = st.text(max_size=12)
timings = st.dictionaries(
    names,
    st.tuples(st.none() | names, st.none() | names, st.integers(1, 10**7), st.dates()),
    min_size=1,
    max_size=4,
).map(
    lambda tests: {
        nodeid: Timing(member=Member(nodeid=nodeid, outer_class=cls, group=group), ms=ms, seen=seen)
        for nodeid, (cls, group, ms, seen) in tests.items()
    }
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(names, timings, max_size=3))
def test_what_is_written_is_read_again(machines: dict[str, dict[str, Timing]]) -> None:
    durations = SuiteDurations(machines=machines)
    text = durations_text(durations)

    assert parse_durations(text, source="x") == durations
    assert text.count("\n") <= 8 + sum(3 + len(tests) for tests in machines.values())


def test_half_of_a_surprise_is_believed() -> None:
    first = SuiteDurations().noted("m", {A: 100}, DAY)
    second = first.noted("m", {A: 200, B: 0}, DAY)

    assert second.known_ms() == {A: 150, B: 1}


def test_what_was_not_seen_for_thirty_days_is_forgotten() -> None:
    old = SuiteDurations().noted("m", {A: 100}, DAY).noted("other", {B: 100}, DAY)

    assert set(old.noted("m", {C: 5}, DAY + timedelta(days=30)).known_ms()) == {A, B, C}
    later = old.noted("m", {C: 5}, DAY + timedelta(days=31))
    assert later.known_ms() == {C: 5}
    assert set(later.machines) == {"m"}


def test_what_only_another_machine_knows_is_scaled_by_what_both_know() -> None:
    durations = SuiteDurations().noted("slow", {A: 200, B: 400, C: 1000}, DAY)
    durations = durations.noted("fast", {A: 100, B: 200, Member(nodeid="d"): 7}, DAY)
    durations = durations.noted("fast", {Member(nodeid="e"): 7}, DAY)

    assert durations.known_ms()[A] == 100
    assert durations.known_ms()[C] == 500


def test_the_order_of_machines_does_not_matter() -> None:
    one = SuiteDurations().noted("x", {A: 100}, DAY).noted("y", {A: 300, B: 30}, DAY)
    two = SuiteDurations().noted("y", {A: 300, B: 30}, DAY).noted("x", {A: 100}, DAY)

    assert one.known_ms() == two.known_ms() == {A: 300, B: 30}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("<<<<<<< HEAD", "Expecting value"),
        ("[]", "list indices"),
        ("{}", "'format' is missing"),
        ('{"format": "withstand-durations", "version": 2, "machines": {}}', '"version": 1'),
        ('{"format": "withstand-durations", "version": 1}', "'machines' is missing"),
        (
            '{"format": "withstand-durations", "version": 1, "machines": {"m": {"t": {"ms": 0}}}}',
            "t takes 0 ms",
        ),
        (
            '{"format": "withstand-durations", "version": 1, "machines": {"m": {"t": '
            '{"ms": 5, "seen": "x"}}}}',
            "Invalid isoformat",
        ),
        (
            '{"format": "withstand-durations", "version": 1, "machines": {"m": {"t": '
            '{"ms": 5, "seen": "2026-01-01", "s": 1}}}}',
            "unknown 's'",
        ),
        (
            '{"format": "withstand-durations", "version": 1, "machines": {"m": {"t": '
            '{"ms": 5, "seen": "2026-01-01", "class": 5}}}}',
            "t has the class 5, which is no text",
        ),
        (
            '{"format": "withstand-durations", "version": 1, "machines": {"m": {"t": '
            '{"ms": 5, "seen": "2026-01-01", "group": ["x"]}}}}',
            r"t has the group \['x'\], which is no text",
        ),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_name_and_a_remedy(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)^tests/d.json is no file.*{words}.*delete it"):
        parse_durations(text, source="tests/d.json")
