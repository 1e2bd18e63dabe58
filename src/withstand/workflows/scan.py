"""The scan: document → API → identities logged in → checks → Results."""

import time
from collections.abc import Callable
from typing import Final

from withstand.client.loop import run
from withstand.results import Results
from withstand.scan.plan import Observer as ScanObserver
from withstand.scan.plan import ScanPlan
from withstand.scan.scanner import scan
from withstand.workflows.interruption import Interruptible
from withstand.workflows.judging import settled
from withstand.workflows.occasion import Occasion, results_of
from withstand.workflows.wiring import open_listener, open_wire, stoppable

MOST_READ_BYTES: Final = 8_000_000
"""The longest answer that a scan reads: it keeps many, and looks into each of them."""


def run_scan(
    plan: ScanPlan,
    occasion: Occasion,
    *,
    observer: ScanObserver = lambda _progress: None,
    trace: Callable[[str], None] | None = None,
) -> Results:
    """The security checks over the wire; `trace` gets a line for each request.

    Ctrl-C ends the scan and keeps what was learned.
    """
    started_at = time.time()

    async def journey() -> Results:
        async with (
            stoppable() as stopped,
            open_wire(plan.target, plan.timeout_s, plan.connect_timeout_s, MOST_READ_BYTES) as wire,
            open_listener(plan.target) as listener,
        ):
            record = await scan(
                plan,
                Interruptible(wire, stopped),
                listener=listener,
                observer=observer,
                stop=stopped.is_set,
                trace=trace,
            )
        return results_of(
            plan.target,
            occasion,
            started_at,
            api=plan.api,
            scan=settled(record, occasion, plan.api),
            interrupted=record.interrupted,
        )

    return run(journey())
