"""Users who come, think, keep their pace and go, in virtual time."""

import asyncio
from itertools import pairwise

import pytest

from tests.load.engine.test_run import check_books, one
from tests.load.virtual_time import NS_PER_S, TARGET, Station, in_virtual_time, scenario
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, UserSchedule, share_of
from withstand.load.profile.rhythm import Pacing, Rhythm, ThinkTime
from withstand.load.profile.stage_text import parse_stages
from withstand.load.progress import Progress

MS = 1_000_000
NEVER_NS = 10**15


def users(text: str, rhythm: Rhythm | None = None) -> UserSchedule:
    profile = parse_stages(text, rhythm=rhythm)
    assert isinstance(profile, UserSchedule)
    return profile


def seconds(station: Station) -> list[float]:
    first_ns = station.arrivals_ns[0]
    return [round((at_ns - first_ns) / NS_PER_S, 6) for at_ns in station.arrivals_ns]


def test_a_user_who_leaves_gets_its_answer_first(monkeypatch: pytest.MonkeyPatch) -> None:
    station = Station(lambda: 300 * MS, servers=10)
    run = in_virtual_time(
        monkeypatch,
        station,
        lambda: run_load(TARGET, scenario(), users("2u,1s:2u,1u,1s:1u")),
    )
    # One asks until 1 s and one until 2 s, every 0.3 s.
    both = [0.0, 0.3, 0.6, 0.9]
    assert seconds(station) == sorted((*both, *both, 1.2, 1.5, 1.8))
    assert one(run).statuses == {200: 11}
    check_books(run)
    assert run.unanswered == 0


def test_users_of_stages_are_there_when_they_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Progress] = []
    think_time = ThinkTime(least_ns=90 * MS, most_ns=90 * MS)
    station = Station(lambda: 10 * MS, servers=100)
    run = in_virtual_time(
        monkeypatch,
        station,
        lambda: run_load(
            *(TARGET, scenario(), users("4s:8u,2s:8u,4s:0u,2s:0u,6u,1s:6u", think_time)),
            observer=reports.append,
        ),
    )
    # Reports come a moment before the half seconds, with who is about to leave still there.
    there = {round(report.elapsed_s, 1): report.users for report in reports}
    assert [there[at] for at in (1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 12.5)] == [2, 6, 8, 7, 3, 0, 6]
    # Ten iterations a second each; user k comes when the level passes k, so that on the ramps
    # 4.5 are there on average: 18 + 16 + 18 + 6 user seconds.
    assert run.sent == pytest.approx(580, abs=8)
    check_books(run)


@pytest.mark.parametrize("rhythm", [Pacing(every_ns=NS_PER_S), ThinkTime(least_ns=1, most_ns=2)])
def test_nobody_begins_anything_after_having_left(
    monkeypatch: pytest.MonkeyPatch, rhythm: Pacing | ThinkTime
) -> None:
    station = Station(lambda: 400 * MS, servers=10)
    in_virtual_time(
        monkeypatch,
        station,
        lambda: run_load(TARGET, scenario(), users("3u,2s:3u,0u,3s:0u,1u,1s:1u", rhythm)),
    )
    begun = seconds(station)
    assert not [at for at in begun if 2 <= at < 5]
    assert [at for at in begun if at >= 5]


def test_a_crowd_that_begins_together_does_not_fire_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for rhythm in (Pacing(every_ns=2 * NS_PER_S), ThinkTime(least_ns=0, most_ns=4 * NS_PER_S)):
        for profile in (
            Closed(users=200, duration_s=8, rhythm=rhythm),
            users("200u,8s:200u", rhythm),
        ):
            station = Station(lambda: MS, servers=200)
            in_virtual_time(
                monkeypatch,
                station,
                lambda profile=profile: run_load(  # type: ignore[misc] # bound now
                    TARGET, scenario(), profile
                ),
            )
            halves = [0] * 16
            for at in seconds(station):
                halves[int(at * 2)] += 1
            # 100 a second: 50 in each half second, whereas a crowd sends its 200 in one of four.
            assert all(30 <= count <= 70 for count in halves), halves


def test_the_shards_of_paced_users_do_not_fire_together_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[float] = []
    for number in (1, 2):
        station = Station(lambda: MS)
        whole = Closed(users=10, duration_s=3, rhythm=Pacing(every_ns=NS_PER_S))
        profile = share_of(whole, number, 2)
        in_virtual_time(
            monkeypatch,
            station,
            lambda profile=profile: run_load(  # type: ignore[misc] # bound now
                TARGET, scenario(), profile
            ),
        )
        begun += [at + 0.1 * (number - 1) for at in seconds(station)]
    assert [round(b - a, 6) for a, b in pairwise(sorted(begun))] == [0.1] * 29


def test_iterations_that_never_find_their_user_free_end_as_timeouts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One user, fifty iterations, and no answer ever: each is given up after its own 1.5 s."""
    profile = Closed(users=1, duration_s=1, rhythm=Pacing(every_ns=20 * MS))
    run = in_virtual_time(
        monkeypatch,
        Station(lambda: NEVER_NS),
        lambda: run_load(
            *(TARGET, scenario(), profile),
            timeout_s=1.5,
        ),
    )
    check_books(run)
    assert run.offered == 50
    assert one(run).failures == {"timed-out": 50}
    assert run.sent < 50
    times = one(run).response_time
    assert 1500 * MS <= (times.minimum or 0) <= (times.maximum or 0) <= 1600 * MS


def test_a_stop_counts_the_iterations_that_were_due_as_unanswered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = Closed(users=2, duration_s=60, rhythm=Pacing(every_ns=NS_PER_S))

    async def stopped() -> LoadMeasurement:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(3.3, stop.set)
        return await run_load(
            *(TARGET, scenario(), profile),
            timeout_s=100,
            stop=stop,
        )

    run = in_virtual_time(monkeypatch, Station(lambda: NEVER_NS), stopped)
    check_books(run)
    assert run.interrupted
    # Due at 0, 1, 2, 3 and at 0.5, 1.5, 2.5: of each user the first went out.
    assert (run.offered, run.sent, run.unanswered) == (7, 2, 7)


def test_a_load_that_is_wound_down_begins_no_iteration_that_is_overdue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = Closed(users=2, duration_s=60, rhythm=Pacing(every_ns=NS_PER_S))

    async def wound_down() -> LoadMeasurement:
        told = asyncio.Event()
        asyncio.get_running_loop().call_later(3.3, told.set)
        return await run_load(TARGET, scenario(), profile, timeout_s=100, wind_down=told)

    run = in_virtual_time(monkeypatch, Station(lambda: 5 * NS_PER_S, servers=2), wound_down)
    check_books(run)
    assert (run.offered, run.sent, run.unanswered) == (7, 2, 5)
    assert one(run).statuses == {200: 2}
