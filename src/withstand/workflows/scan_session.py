"""A scan one test at a time, for callers with an order of their own: pytest's items.

session = ScanSession(plan, occasion)
record = session.test(check, operation)   # the first call logs in and finds what works
record = session.close()                  # deletes what was created, and asks everybody again
"""

import asyncio
from contextlib import AsyncExitStack

from withstand.client.allocator import tune_allocator
from withstand.client.loop import loop_factory
from withstand.errors import RunVoid
from withstand.openapi.operation import Operation
from withstand.scan.check import Check
from withstand.scan.plan import ScanPlan
from withstand.scan.records.record import ScanRecord
from withstand.scan.run.scan_run import ScanRun
from withstand.workflows.judging import settled
from withstand.workflows.occasion import Occasion
from withstand.workflows.wiring import open_listener, open_wire


class ScanSession:
    """One scan's groundwork, and the tests that are run on it, each when it is asked for.

    An event loop of its own runs only while a test does.
    """

    def __init__(self, plan: ScanPlan, occasion: Occasion) -> None:
        self.plan = plan
        self._occasion = occasion
        self._runner: asyncio.Runner | None = None
        self._stack = AsyncExitStack()
        self._run: ScanRun | None = None
        self._broken: RunVoid | None = None

    def test(self, check: Check, operation: Operation | None, *, last: bool = False) -> ScanRecord:
        """What the test came to, against suppressions and known findings. `last` says that no
        other test of the operation follows.

        Raises RunVoid when nothing answers or nobody can log in, each time with the same words.
        """
        if self._broken is not None:
            raise self._broken
        try:
            record = self._loop().run(self._tested(check, operation, last=last))
        except RunVoid as error:
            self._broken = error
            raise
        return settled(record, self._occasion, self.plan.api)

    def close(self) -> ScanRecord | None:
        """Deletes what the tests created, lets everybody log in once more and closes the
        connections: the record says what came of it. None where nothing was tested.
        """
        if self._runner is None:
            return None
        try:
            return self._runner.run(self._ended())
        finally:
            self._runner.close()
            self._runner = None

    def _loop(self) -> asyncio.Runner:
        if self._runner is None:
            tune_allocator()
            self._runner = asyncio.Runner(loop_factory=loop_factory())
        return self._runner

    async def _tested(self, check: Check, operation: Operation | None, *, last: bool) -> ScanRecord:
        if self._run is None:
            plan = self.plan
            wire = await self._stack.enter_async_context(
                open_wire(plan.target, plan.timeout_s, plan.connect_timeout_s)
            )
            listener = await self._stack.enter_async_context(open_listener(plan.target))
            run = ScanRun(plan, wire, listener)
            await run.prepare()
            self._run = run
        return await self._run.one(check, operation, last=last)

    async def _ended(self) -> ScanRecord | None:
        try:
            if self._run is None:
                return None
            await self._run.clean_up()
            await self._run.finish()
            return self._run.record()
        finally:
            await self._stack.aclose()
