"""Two versions side by side: started, asked in turn, stopped, again and again."""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.client.wire import Wire
from withstand.errors import RunVoid
from withstand.load.comparison import Arm, Block, ComparisonMeasurement, Restart
from withstand.openapi.operation import Api
from withstand.scan.groundwork.preparation import Prepared, chosen_operations, prepared_requests
from withstand.scan.plan import ScanPlan
from withstand.stats.regression import LEAST_UNITS
from withstand.stats.warm_up import least_dropped
from withstand.units import format_duration_ns
from withstand.workflows.compare_plan import PORT, ComparePlan, CompareProgress, Observer, Version
from withstand.workflows.documents import fetched_document
from withstand.workflows.server_process import (
    ServerProcess,
    free_port,
    refuse_occupied,
    refuse_silent,
    started_servers,
    words_of,
)
from withstand.workflows.stopping import cancel_for_good, told_to_stop
from withstand.workflows.wiring import open_wire

# One request at a time: what the first of each on a connection pays for is over after as many.
_WARM_UP: Final = least_dropped(1)
_LOG_IN_AGAIN_BEFORE_S: Final = 30.0
_OWN_FAULT: Final = re.compile(r"\b(?:got|status) 5\d\d\b")


@dataclass(slots=True, kw_only=True)
class _Side:
    """A version that is up: a connection, and the requests that succeeded there once."""

    version: Version
    wire: Wire
    plan: ScanPlan
    prepared: Prepared

    async def prepare(self) -> None:
        self.prepared = await prepared_requests(self.plan, self.wire, now_s=time.time())

    @property
    def expires(self) -> bool:
        """Whether a token is about to."""
        expires_at_s = self.prepared.expires_at_s
        return expires_at_s is not None and expires_at_s - time.time() < _LOG_IN_AGAIN_BEFORE_S


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was measured to its end so far, by operation."""

    whole: dict[str, list[Restart]] = field(default_factory=dict)
    begun: dict[str, list[Block]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    units: int = 0

    def close_restart(self) -> None:
        for key, blocks in self.begun.items():
            self.whole.setdefault(key, []).append(tuple(blocks))
        self.begun = {}


class Comparing:
    """One comparison. `measure` runs it."""

    def __init__(self, plan: ComparePlan, observer: Observer | None) -> None:
        self._plan = plan
        self._observer = observer or (lambda _progress: None)
        self._random = random.Random(plan.seed)  # noqa: S311 - an order, no secret
        self._found = _Found()
        self._blocks_done = 0

    async def measure(self) -> ComparisonMeasurement:
        """Until everything is measured, the time is up, or Ctrl-C or SIGTERM comes.

        Raises RunVoid when that is too little to compare, unless it was interrupted.
        """
        started_at = time.time()
        async with told_to_stop() as stopped:
            work = asyncio.create_task(self._work())
            stop = asyncio.create_task(stopped.wait())
            await asyncio.wait(
                {work, stop},
                timeout=self._plan.max_time_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            finished = work.done()
            stop.cancel()
            await cancel_for_good(work)
            interrupted = stopped.is_set()
        if not self._plan.restarted:
            self._found.close_restart()
        cut_short = None
        if not finished:
            cut_short = self._cut_short(interrupted)
            if self._found.units < LEAST_UNITS and not interrupted:
                raise RunVoid(
                    f"after {format_duration_ns(self._plan.max_time_s * 1e9)} (--max-time) "
                    f"{cut_short}, and {LEAST_UNITS} are the least that can be compared",
                    hint="give more --max-time, or fewer operations (-o) or --requests",
                )
        return ComparisonMeasurement(
            a=self._plan.a.what,
            b=self._plan.b.what,
            restarted=self._plan.restarted,
            restarts=self._plan.restarts,
            blocks=self._plan.blocks,
            requests=self._plan.requests,
            started_at=started_at,
            duration_s=time.time() - started_at,
            operations={key: tuple(found) for key, found in self._found.whole.items()},
            left_out=self._found.left_out,
            cut_short=cut_short,
            interrupted=interrupted,
        )

    def _cut_short(self, interrupted: bool) -> str:
        what, asked = (
            ("restarts", self._plan.restarts)
            if self._plan.restarted
            else ("blocks", self._plan.blocks)
        )
        why = "interrupted" if interrupted else "the time was up"
        return f"{self._found.units} of {asked} {what} were measured to their end ({why})"

    async def _work(self) -> None:
        for number in range(1, self._plan.restarts + 1):
            again = f"restart {number} of {self._plan.restarts}: " if self._plan.restarted else ""
            self._tell(f"{again}starting" if self._plan.restarted else "preparing")
            async with self._both() as sides:
                self._tell(f"{again}warming up")
                await self._restart(sides, again)
            if self._plan.restarted:
                self._found.close_restart()
                self._found.units += 1

    async def _restart(self, sides: Sequence[_Side], again: str) -> None:
        keys = self._comparable(sides)
        await self._ask(sides, keys, _WARM_UP)
        for block in range(1, self._plan.blocks + 1):
            self._tell(f"{again}block {block} of {self._plan.blocks}")
            for side in sides:
                if side.expires:
                    await side.prepare()
            for key, measured in (await self._ask(sides, keys, self._plan.requests)).items():
                self._found.begun.setdefault(key, []).append(measured)
            self._blocks_done += 1
            if not self._plan.restarted:
                self._found.units += 1

    async def _ask(
        self, sides: Sequence[_Side], keys: Sequence[str], count: int
    ) -> Mapping[str, Block]:
        """So many requests of each operation to each version, one at a time, in random order: of
        each operation one to either in each round."""
        times: dict[tuple[str, int], list[int]] = {
            (key, side): [] for key in keys for side in (0, 1)
        }
        errors = dict.fromkeys(times, 0)
        for index in range(count):
            for key in self._random.sample(keys, len(keys)):
                for side in self._random.sample((0, 1), 2):
                    requests = sides[side].prepared.requests.get(key)
                    if requests is None:  # the server's own fault: see _comparable
                        errors[key, side] += 1
                        continue
                    exchange = await sides[side].wire.send(requests[index % len(requests)])
                    if exchange.succeeded:
                        times[key, side].append(exchange.timing.service_time_ns)
                    else:
                        errors[key, side] += 1

        def arm(key: str, side: int) -> Arm:
            return Arm(times_ns=tuple(times[key, side]), errors=errors[key, side])

        return {key: Block(a=arm(key, 0), b=arm(key, 1)) for key in keys}

    def _comparable(self, sides: Sequence[_Side]) -> tuple[str, ...]:
        """The operations that succeeded on both, or on one where the other answered with an error
        of its own, which is what a broken version looks like. Raises RunVoid when a pattern chose
        none.
        """
        missing: dict[str, str] = {}
        for side in sides:
            missing |= {
                key: f"on {side.version.name}: {why}"
                for key, why in side.prepared.missing.items()
                if key not in missing
            }
        common: dict[str, tuple[Request, ...]] = {}
        for side, other in zip(sides, reversed(sides), strict=True):
            for key, found in side.prepared.requests.items():
                why = other.prepared.missing.get(key, "")
                if key in other.prepared.requests or _OWN_FAULT.search(why):
                    common.setdefault(key, found)
                    missing.pop(key, None)
        Prepared(requests=common, missing=missing).require(self._plan.operations or ("*",))
        self._found.left_out |= missing
        return tuple(common)

    @asynccontextmanager
    async def _both(self) -> AsyncIterator[tuple[_Side, ...]]:
        """Both versions, up and with requests that succeed; started in random order."""
        versions = (self._plan.a, self._plan.b)
        with started_servers() as servers:
            targets = {
                version.name: await self._begun(version, servers)
                for version in self._random.sample(versions, 2)
            }
            await self._up(targets, servers)
            api = chosen_operations(
                await self._api(targets[self._plan.a.name]), self._plan.operations
            )
            async with contextlib.AsyncExitStack() as wires:
                sides = []
                for version in versions:
                    target = targets[version.name]
                    plan = replace(version.plan(target, api), api=api)
                    wire = await wires.enter_async_context(
                        open_wire(target, self._plan.timeout_s, self._plan.connect_timeout_s)
                    )
                    prepared = await prepared_requests(plan, wire, now_s=time.time())
                    sides.append(_Side(version=version, wire=wire, plan=plan, prepared=prepared))
                yield tuple(sides)

    async def _begun(self, version: Version, servers: list[ServerProcess]) -> Target:
        """Where a version is, or will be once it is up."""
        if version.command is None:
            target = version.target(version.address)
            await refuse_silent(target, name=version.name)
            return target
        port = free_port()
        target = version.target(version.address.replace(PORT, str(port)))
        await refuse_occupied(target, name=version.name)
        words = words_of(version.command, option=f"--start-{version.name.lower()}")
        servers.append(ServerProcess(words, port, name=version.name))
        return target

    async def _up(self, targets: Mapping[str, Target], servers: Sequence[ServerProcess]) -> None:
        """Waits for all at once: starting takes longer than most of what is measured."""
        within_s = self._plan.start_timeout_s
        waiting = [
            asyncio.create_task(server.until_it_answers(targets[server.name], within_s=within_s))
            for server in servers
        ]
        try:
            for done in waiting:
                await done
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _api(self, target: Target) -> Api:
        document = self._plan.document
        return await fetched_document(document, target) if isinstance(document, str) else document

    def _tell(self, now: str) -> None:
        total = self._plan.restarts * self._plan.blocks
        self._observer(CompareProgress(done=self._blocks_done, total=total, now=now))
