"""The scan from end to end: log in, find what works, run the checks, clean up.

READ THIS to know what happens in which order; each step is a few lines in the module it names.
"""

from collections.abc import Callable

from withstand.client.listener import Listener
from withstand.client.transport import Transport
from withstand.scan.groundwork.examination import Examination
from withstand.scan.plan import Observer, ScanPlan
from withstand.scan.records.record import ScanRecord
from withstand.scan.run.scan_run import ScanRun
from withstand.scan.wire.courier import BudgetSpent, NoiseStays, Stopped


async def scan(
    plan: ScanPlan,
    transport: Transport,
    *,
    listener: Listener | None = None,
    observer: Observer = lambda _progress: None,
    stop: Callable[[], bool] = lambda: False,
    trace: Callable[[str], None] | None = None,
) -> ScanRecord:
    """Everything the checks of the plan find out about the API.

    `listener` is where the target may call the scan; without one that is not tested. `trace` gets a
    line for each request. `stop` is asked before each request; once it says True the scan ends and
    the record holds what was learned until then. Raises TargetUnreachable and IdentityBroken before
    the first verdict; an identity that breaks later makes a record with `void`.
    """
    run = ScanRun(plan, transport, listener, observer, stop, trace)
    try:
        await run.prepare()
        await run.check_operations()
        await run.check_api()
    except (BudgetSpent, Stopped) as end:
        run.end_early(str(end), interrupted=isinstance(end, Stopped))
    except NoiseStays as noise:
        run.end_early(f"the target gave no usable answer: {noise}", interrupted=False)
    finally:
        run.stop_listening()
    await run.clean_up()
    await run.finish()
    return run.record()


async def examine(
    plan: ScanPlan,
    transport: Transport,
    *,
    observer: Observer = lambda _progress: None,
    trace: Callable[[str], None] | None = None,
) -> Examination:
    """What a scan would find to work with: who is logged in, which operations have a request that
    succeeds and why others have none, which checks could run. Runs no check.

    Raises TargetUnreachable and IdentityBroken.
    """
    run = ScanRun(plan, transport, None, observer, lambda: False, trace)
    problem = None
    try:
        await run.prepare()
    except BudgetSpent as end:
        problem = str(end)
    await run.clean_up()
    return run.examination(problem)
