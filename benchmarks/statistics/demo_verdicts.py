"""Verdicts on a real server whose latencies are known: rows S1 to S4 of docs/statistics.md.

    python -m benchmarks.statistics.demo_verdicts             # about ten minutes
    python -m benchmarks.statistics.demo_verdicts --runs 5    # a quick look, printed and not kept

The demo API is a process of its own; trials send it one request after the other over loopback,
six trials side by side. A response takes 1 ms or 400 ms, the slow ones with an exact share, and the
limit is 250 ms. So the share above the limit is the share of slow ones, whatever the machine adds,
as long as it adds less than that to the fast ones. How often it adds more is measured beside
the trials, on an operation that is always fast, and told: where it is more than 1 % (0.5 % at the
limit), the row holds nothing to its bound, since the share was another.
"""

import argparse
import asyncio
import math
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean

from benchmarks.statistics.acceptance import Line, record
from tests.demo.running import running

from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.client.target import Target, parse_target
from withstand.client.wire import Wire
from withstand.slo import Verdict, VerdictState, parse_objective
from withstand.slo.trial import Trial

COMMAND = "python -m benchmarks.statistics.demo_verdicts"
RUNS = 50
LIMIT_MS, SLOW_MS = 250, 400
_SIDE_BY_SIDE = 6
_WARM_UP, _PAUSE_S = 10, 1.0  # as in a test with objectives
_LONGEST_S = 900.0  # of one setting, and of the process that keeps a core busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An operation, its latency for the demo, and what the verdicts on it have to be."""

    id: str
    what: str
    path: str
    slow: str
    expected: VerdictState
    most_runs: int = RUNS
    least_share: float
    most_late: float = 0.01
    busy: bool = False

    @property
    def latency(self) -> str:
        """As the demo takes it."""
        return f"GET {self.path.partition('?')[0]}: bimodal 1ms {SLOW_MS}ms {self.slow}"


SETTINGS = (
    Setting(
        id="S1",
        what="half of what is allowed",
        path="/products",
        slow="2.5%",
        expected=VerdictState.MET,
        least_share=0.96,
    ),
    Setting(
        id="S2",
        what="twice what is allowed",
        path="/manuals?name=teapot.txt",
        slow="10%",
        expected=VerdictState.BREACHED,
        least_share=0.96,
    ),
    Setting(
        id="S3",
        what="just what is allowed",
        path="/products/{sku}",
        slow="5%",
        expected=VerdictState.INCONCLUSIVE,
        most_runs=10,
        least_share=0.8,
        most_late=0.005,
    ),
    Setting(
        id="S4",
        what="half of what is allowed, one of two cores kept busy by another process",
        path="/products",
        slow="2.5%",
        expected=VerdictState.MET,
        least_share=0.9,
        busy=True,
    ),
)
_ALWAYS_FAST = "/products/{sku}/label"
_OPPOSITE = {VerdictState.MET: VerdictState.BREACHED, VerdictState.BREACHED: VerdictState.MET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The verdicts, how many requests each took, and what the machine did to fast responses."""

    verdicts: tuple[Verdict, ...]
    late: float  # the share of always fast responses above the limit

    @property
    def states(self) -> Counter[VerdictState]:
        return Counter(verdict.state for verdict in self.verdicts)


def main() -> None:
    """Run all settings, print a line for each, and record them if they are the full set."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each setting (default {RUNS})")
    parser.add_argument("--only", action="append", choices=[each.id for each in SETTINGS])
    asked = parser.parse_args()
    latencies = {each.latency for each in SETTINGS} | {f"GET {_ALWAYS_FAST}: fixed 1ms"}
    flags = [word for latency in sorted(latencies) for word in ("--latency", latency)]
    flags += ["--latency-seed", "verdicts"]
    for setting in SETTINGS:
        if asked.only and setting.id not in asked.only:
            continue
        with running(*flags) as demo, _kept_busy(setting.busy):
            runs = min(asked.runs, setting.most_runs)
            measured = run(_measured(parse_target(demo.words["url"]), setting, runs))
        line = _line(setting, measured)
        sys.stdout.write(f"{setting.id} {line.held} {line.scenario}: {line.measured}\n")
        sys.stdout.flush()
        if asked.runs >= RUNS:
            record(
                setting.id,
                command=COMMAND,
                setup=f"p95 < {LIMIT_MS} ms on the demo API, which takes 1 ms or {SLOW_MS} ms",
                lines=[line],
            )


def _line(setting: Setting, measured: Measured) -> Line:
    states, runs = measured.states, len(measured.verdicts)
    wrong = _OPPOSITE.get(setting.expected, VerdictState.BREACHED)
    least = math.floor(setting.least_share * runs)
    counts = ", ".join(f"{states[each]} {each}" for each in VerdictState)
    requests = fmean(verdict.samples for verdict in measured.verdicts)
    held: bool | None = states[wrong] == 0 and states[setting.expected] >= least
    if measured.late > setting.most_late:
        held = None  # the share above the limit was not the one that the row is about
    return Line(
        scenario=f"{setting.what} ({setting.slow} slow)",
        must=f"none {wrong}, at least {least} of {runs} {setting.expected}",
        measured=f"{counts}; {requests:,.0f} requests on average; the machine made "
        f"{100 * measured.late:.2g} % of fast responses slow",
        held=held,
    )


async def _measured(target: Target, setting: Setting, runs: int) -> Measured:
    waiting = list(range(runs))
    verdicts: list[Verdict] = []
    late: list[bool] = []
    async with Wire(target) as wire:

        async def take_turns() -> None:
            while waiting:
                waiting.pop()
                verdicts.append(await _tried(wire, setting.path))

        async def watch() -> None:
            while len(verdicts) < runs:
                exchange = await wire.send(Request(method="GET", path=_at(_ALWAYS_FAST)))
                late.append(exchange.timing.response_time_ns > LIMIT_MS * 1_000_000)
                await asyncio.sleep(0.02)

        async with asyncio.timeout(_LONGEST_S):
            await asyncio.gather(watch(), *(take_turns() for _ in range(_SIDE_BY_SIDE)))
    return Measured(verdicts=tuple(verdicts), late=fmean(late))


async def _tried(wire: Wire, path: str) -> Verdict:
    """One trial, from its first request to its verdict."""
    trial = Trial(f"GET {path}", [parse_objective(f"p95<{LIMIT_MS}ms")])
    request = Request(method="GET", path=_at(path))
    for _ in range(_WARM_UP):
        await wire.send(request)
    while not trial.done:
        if trial.at_pause:
            await asyncio.sleep(_PAUSE_S)
        exchange = await wire.send(request)
        if exchange.response is None or exchange.response.status != 200:
            raise RuntimeError(f"GET {path} was answered by {exchange.outcome}")
        trial.add(exchange.timing.response_time_ns)
    (verdict,) = trial.verdicts()
    return verdict


def _at(path: str) -> str:
    return path.replace("{sku}", "SKU-001")


@contextmanager
def _kept_busy(wanted: bool) -> Iterator[None]:
    """The last core has another process on it, at full speed, until the end."""
    if not wanted:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=_burn, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _burn() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    end = time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        pass


if __name__ == "__main__":
    main()
