"""Everything that the configuration asks for: the objectives, then the scan, as one Results."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from withstand.errors import RunVoid
from withstand.results import Results
from withstand.scan.plan import Observer as ScanObserver
from withstand.scan.plan import ScanPlan
from withstand.scan.records.record import ScanRecord
from withstand.workflows.occasion import Occasion
from withstand.workflows.scan import run_scan
from withstand.workflows.trials import DEFAULT_BUDGET_S, TrialObserver, run_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """What is wanted: a scan, trials of the objectives with `budget_s` for each operation."""

    scan: bool = True
    trials: bool = True
    budget_s: float = DEFAULT_BUDGET_S


def run_check(
    plan: ScanPlan,
    wanted: CheckPlan,
    occasion: Occasion,
    *,
    say: Callable[[str], None] = lambda _sentence: None,
    trial_observer: TrialObserver = lambda _progress: None,
    scan_observer: ScanObserver = lambda _progress: None,
) -> Results:
    """The trials come first: a scan leaves data, locked logins and warm caches behind.

    Interrupted or void trials end the whole; what was learned is kept, also where the scan cannot
    begin or is cut off. Raises RunVoid where nothing was learned at all.
    """
    tried: Results | None = None
    if wanted.trials:
        say("Trying the operations against their objectives, one request at a time …")
        tried = run_trials(plan, occasion, budget_s=wanted.budget_s, observer=trial_observer)
        void = tried.trials.void if tried.trials is not None else None
        if not wanted.scan:
            return tried
        if tried.interrupted or void is not None:
            return _ended(tried, plan, void)
    try:
        say(f"Scanning {len(plan.api.operations)} operations with {len(plan.checks)} checks …")
        scanned = run_scan(plan, occasion, observer=scan_observer)
    except KeyboardInterrupt:  # before the scan listens to it itself
        if tried is None:
            raise
        return _ended(replace(tried, interrupted=True), plan, None)
    except RunVoid as error:
        if tried is None or tried.trials is None or not tried.trials.operations:
            raise  # a shard may have had nothing to try
        here = "" if plan.shard is None else f" of shard {plan.shard}"
        why = f"the scan{here} came to nothing: {' '.join(error.message.split())}"
        return replace(tried, scan=_no_scan(plan, why))
    if tried is None:
        return scanned
    return replace(
        scanned,
        trials=tried.trials,
        started_at=tried.started_at,
        duration_s=tried.duration_s + scanned.duration_s,
    )


def _ended(tried: Results, plan: ScanPlan, void: str | None) -> Results:
    """Trials that ended the whole. A shard has both parts all the same, so that it is merged."""
    if plan.shard is None:
        return tried
    return replace(tried, scan=_no_scan(plan, void, interrupted=tried.interrupted))


def _no_scan(plan: ScanPlan, void: str | None, *, interrupted: bool = False) -> ScanRecord:
    return ScanRecord(
        findings=(),
        coverage=(),
        operations=tuple(operation.key for operation in plan.api.operations),
        identities=tuple((each.name, each.role) for each in plan.identities),
        requests=0,
        duration_s=0.0,
        void=void,
        interrupted=interrupted,
        shards=() if plan.shard is None else (plan.shard,),
    )
