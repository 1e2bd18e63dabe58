"""Both event loops that Withstand runs on."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import uvloop

T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


class Run(Protocol):
    """Runs a coroutine to its end, on one of the loops."""

    def __call__(self, main: Coroutine[Any, Any, T]) -> T: ...


def runner(factory: Callable[[], asyncio.AbstractEventLoop]) -> Run:
    def run(main: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=factory) as started:
            # Far beyond what any test needs: a test that hangs ends with a traceback.
            return started.run(asyncio.wait_for(main, 30))

    return run
