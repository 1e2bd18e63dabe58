"""The event loop: uvloop's where there is one, asyncio's elsewhere."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from withstand.client.allocator import tune_allocator

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the fastest loop there is, like `asyncio.run`.

    On uvloop `loop.time()` moves in whole milliseconds: measure with `time.perf_counter_ns`.
    """
    tune_allocator()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
