"""Generators side by side: the same server, in turns, A B C A B C, and a window of each run.

A window begins when the server has seen the first requests and half a second has passed, and
everything in it is measured from outside: requests by the server's count, CPU time by the kernel's
accounting of the whole process tree. Interpreters, imports and connecting are no part of it.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generator import Generator, GeneratorFailed
from nginx import Nginx

START_WITHIN_S = 20.0
WARM_UP_S = 0.5
END_WITHIN_S = 30.0
_AFTERWARDS_S = 1.0  # so that the window ends well before the run does
_SETTLED_S = 0.2


@dataclass(frozen=True)
class Contestant:
    """A generator for one kind of work. `command` makes its command line for whole seconds;
    `count` reads from its output how many requests it says it made (None: it does not say).
    `slow_start_s` is what its clock may run ahead of its first request. An `endless` one has no
    clock: it runs until it is told to end.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    count: Callable[[str], int | None]
    slow_start_s: float = 0.0
    endless: bool = False


@dataclass(frozen=True)
class Round:
    """One run of one generator. `seen` is the server's count of the whole run, `said` its own."""

    requests_per_s: float
    cpu_us: float
    generator_busy: float
    server_busy: float
    seen: int
    said: int | None


def measured(contestant: Contestant, nginx: Nginx, seconds: float) -> Round:
    """Run once. Raises GeneratorFailed; lasts at most about a minute more than the window."""
    whole = math.ceil(contestant.slow_start_s + WARM_UP_S + seconds + _AFTERWARDS_S)
    before = nginx.answered()
    with Generator(contestant.command(whole)) as generator:
        _await_first_requests(generator, nginx, before)
        time.sleep(WARM_UP_S)
        began_s, seen, cpu_s, server_s = _now(generator, nginx)
        time.sleep(seconds)
        ended_s, seen_then, cpu_then_s, server_then_s = _now(generator, nginx)
        if not generator.running:
            raise GeneratorFailed(f"it ended within its window: {generator.complaint()}")
        if contestant.endless:
            generator.terminate()
        output = generator.output(END_WITHIN_S)
    time.sleep(_SETTLED_S)
    lasted_s, requests = ended_s - began_s, seen_then - seen
    if requests == 0:
        raise GeneratorFailed("the server saw no request in the window")
    return Round(
        requests_per_s=requests / lasted_s,
        cpu_us=(cpu_then_s - cpu_s) / requests * 1e6,
        generator_busy=(cpu_then_s - cpu_s) / lasted_s,
        server_busy=(server_then_s - server_s) / lasted_s,
        seen=nginx.answered() - before,
        said=contestant.count(output),
    )


def _await_first_requests(generator: Generator, nginx: Nginx, before: int) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while nginx.answered() == before:
        if not generator.running:
            raise GeneratorFailed(f"it ended without a request: {generator.complaint()}")
        if time.monotonic() > deadline:
            raise GeneratorFailed(f"no request within {START_WITHIN_S:g} s")
        time.sleep(0.02)


def _now(generator: Generator, nginx: Nginx) -> tuple[float, int, float, float]:
    return time.perf_counter(), nginx.answered(), generator.cpu_s(), nginx.cpu_s()


def contest(
    contestants: Sequence[Contestant],
    nginx: Nginx,
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """So many rounds: by contestant's name what `Round` holds, or `failed` and why."""
    done: list[dict[str, Any]] = []
    for number in range(1, rounds + 1):
        results: dict[str, Any] = {}
        for contestant in contestants:
            try:
                one = measured(contestant, nginx, seconds)
            except Exception as problem:  # whatever it is, the others still run
                results[contestant.name] = {"failed": f"{problem or type(problem).__name__}"}
                say(f"  {number} {contestant.name}: FAILED, {problem}")
                continue
            results[contestant.name] = asdict(one)
            own = "" if one.said is None else f"  own count {one.said:,}, server's {one.seen:,}"
            say(
                f"  {number} {contestant.name:32} {one.requests_per_s:9,.0f}/s {one.cpu_us:6.1f} us"
                f"  generator {one.generator_busy:4.0%} server {one.server_busy:4.0%}{own}"
            )
        done.append(results)
    return done
