"""Machines that are told the same moment begin at it, or not at all."""

import asyncio
import time

import pytest

from tests.load.conftest import Api
from withstand.client.loop import run
from withstand.errors import RunVoid
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import ConstantRate
from withstand.load.progress import Progress
from withstand.load.workers.start import PREPARATION_S, almost, starting_at

PROFILE = ConstantRate(rate_per_s=100, duration_s=0.2)


def test_a_load_begins_at_the_moment_it_was_told(api: Api) -> None:
    at_s = time.time() + 0.6

    async def load() -> LoadMeasurement:
        start = starting_at(at_s, asyncio.Event())
        return await run_load(api.target, api.scenario("/ok"), PROFILE, start=start)

    measured = run(load())
    assert measured.started_at == pytest.approx(at_s, abs=0.1)
    assert measured.sent == 20


def test_a_machine_that_is_ready_too_late_sends_nothing(api: Api) -> None:
    async def load() -> LoadMeasurement:
        start = starting_at(time.time() - 1.5, asyncio.Event())
        return await run_load(api.target, api.scenario("/ok"), PROFILE, start=start)

    with pytest.raises(RunVoid, match=r"ready \d+\.\d s after the start that --start-at names"):
        run(load())
    assert api.seen().requests == 0


def test_a_stop_ends_the_wait_for_the_start() -> None:
    async def stopped() -> int:
        stop = asyncio.Event()
        stop.set()
        return await starting_at(time.time() + 3600, stop)()

    assert run(stopped()) > time.perf_counter_ns()


def test_the_wait_is_shown_as_time_before_the_start_and_leaves_time_to_prepare() -> None:
    shown: list[Progress] = []
    at_s = time.time() + PREPARATION_S + 0.2
    run(almost(at_s, PROFILE, shown.append))
    assert at_s - time.time() <= PREPARATION_S
    assert shown
    assert all(each.elapsed_s <= -PREPARATION_S for each in shown)
    assert all(each.duration_s == 0.2 for each in shown)
    shown.clear()
    run(almost(time.time() - 1, PROFILE, shown.append))
    assert shown == [], "there is nothing to wait for"
