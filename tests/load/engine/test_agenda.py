"""The agenda: everything at its time, in order, and with room for answers in between."""

import asyncio

import pytest

from tests.load.virtual_time import NS_PER_S, Station, VirtualLoop, in_virtual_time
from withstand.load.engine.agenda import MAX_BATCH, Agenda

MS = 1_000_000


def at_rest() -> Station:
    return Station(lambda: 0)


def test_entries_are_done_at_their_times_whatever_the_order_they_came_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> list[tuple[str, int]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        begin_ns = loop.now_ns
        done: list[tuple[str, int]] = []
        agenda = Agenda()

        def note(name: str) -> None:
            done.append((name, (loop.now_ns - begin_ns) // MS))
            if name == "second":
                agenda.at(loop.now_ns - NS_PER_S, note, "overdue")
                agenda.at(loop.now_ns + 1 * MS, note, "third")

        agenda.at(begin_ns + 9 * MS, note, "last")
        agenda.at(begin_ns + 5 * MS, note, "second")
        agenda.at(begin_ns + 5 * MS, note, "second too")
        agenda.at(begin_ns + 2 * MS, note, "first")
        await asyncio.sleep(1)
        agenda.at(loop.now_ns + MS, note, "never")
        agenda.close()
        await asyncio.sleep(1)
        return done

    assert in_virtual_time(monkeypatch, at_rest(), work) == [
        ("first", 2),
        ("second", 5),
        ("overdue", 5),  # its time was before that of all who wait
        ("second too", 5),
        ("third", 6),
        ("last", 9),
    ]


def test_a_crowd_that_is_due_at_once_lets_others_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        done: list[int] = []
        between: list[int] = []
        agenda = Agenda()
        for number in range(2 * MAX_BATCH + 1):
            agenda.at(loop.now_ns, done.append, number)
        for _ in range(4):
            await asyncio.sleep(0)
            between.append(len(done))
        assert done == list(range(2 * MAX_BATCH + 1))
        return between

    between = in_virtual_time(monkeypatch, at_rest(), work)
    assert {MAX_BATCH, 2 * MAX_BATCH} <= set(between)
