"""Timers: never early, once for each setting, silent when closed."""

import asyncio
import time
from collections.abc import Callable

import pytest

from withstand.client.loop import run
from withstand.load.engine.timer import SpinTimer, Timer, open_timer


def spinning(callback: Callable[[], None]) -> Timer:
    return SpinTimer(asyncio.get_running_loop(), callback)


timers = pytest.mark.parametrize("make", [open_timer, spinning], ids=["platform", "spinning"])


@timers
def test_a_timer_is_never_early_and_fires_once_per_setting(
    make: Callable[[Callable[[], None]], Timer],
) -> None:
    async def fire() -> list[int]:
        fired: asyncio.Queue[int] = asyncio.Queue()
        timer = make(lambda: fired.put_nowait(time.perf_counter_ns()))
        early = []
        for wait_ns in (0, 200_000, 3_000_000, 20_000_000):
            due_ns = time.perf_counter_ns() + wait_ns
            timer.set(due_ns)
            early.append(due_ns - await asyncio.wait_for(fired.get(), 5))
        timer.set(0)  # long past: at once
        await asyncio.wait_for(fired.get(), 5)
        assert fired.empty()
        timer.close()
        return early

    assert max(run(fire())) <= 0


@timers
def test_a_timer_tells_how_long_it_kept_the_processor_busy_with_waiting(
    make: Callable[[Callable[[], None]], Timer],
) -> None:
    async def spin() -> int:
        fired: asyncio.Queue[int] = asyncio.Queue()
        timer = make(lambda: fired.put_nowait(time.perf_counter_ns()))
        assert timer.spun_ns == 0
        for _ in range(50):  # nearer than any process can be woken
            timer.set(time.perf_counter_ns() + 40_000)
            await asyncio.wait_for(fired.get(), 5)
        timer.close()
        return timer.spun_ns

    assert 0 < run(spin()) <= 50 * 60_000


@timers
def test_a_timer_that_is_set_again_or_closed_forgets_what_it_was_set_to(
    make: Callable[[Callable[[], None]], Timer],
) -> None:
    async def fire() -> int:
        fired: list[int] = []
        timer = make(lambda: fired.append(time.perf_counter_ns()))
        other = make(lambda: done.set())
        done = asyncio.Event()
        now_ns = time.perf_counter_ns()
        timer.set(now_ns + 2_000_000)
        timer.set(now_ns + 10_000_000)
        other.set(now_ns + 25_000_000)
        await asyncio.wait_for(done.wait(), 5)
        assert [at_ns >= now_ns + 10_000_000 for at_ns in fired] == [True]
        timer.set(time.perf_counter_ns() + 1_000_000)
        timer.close()
        done.clear()
        other.set(time.perf_counter_ns() + 5_000_000)
        await asyncio.wait_for(done.wait(), 5)
        other.close()
        other.close()
        return len(fired)

    assert run(fire()) == 1
