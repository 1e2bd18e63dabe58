"""The doctor: everything that comes before the checks of a scan, and what it shows."""

from collections.abc import Callable

from withstand.client.loop import run
from withstand.scan.groundwork.examination import Examination
from withstand.scan.plan import Observer as ScanObserver
from withstand.scan.plan import ScanPlan
from withstand.scan.scanner import examine
from withstand.workflows.wiring import open_wire


def run_doctor(
    plan: ScanPlan,
    *,
    observer: ScanObserver = lambda _progress: None,
    trace: Callable[[str], None] | None = None,
) -> Examination:
    """Logs in and takes baselines over the wire. Raises TargetUnreachable and IdentityBroken."""

    async def journey() -> Examination:
        async with open_wire(plan.target, plan.timeout_s, plan.connect_timeout_s) as wire:
            return await examine(plan, wire, observer=observer, trace=trace)

    return run(journey())
