"""How gaps, notes and accepted findings of a scan read in every report. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from withstand.report.wording import plural
from withstand.results import Results
from withstand.scan.records.record import Coverage, CoverageState, SuppressedFinding, SuppressionUse


def run_facts(results: Results) -> tuple[str, ...]:
    """Which parts of a divided run these are, and what reassures about the scan."""
    shards, of = results.shards, results.shards[0].total if results.shards else 0
    here = ", ".join(map(str, shards))
    if len(shards) == of:
        parts = (f"All {of} shards of the run, merged.",) if of > 1 else ()
    elif len(shards) == 1:
        parts = (f"Shard {here} of the run: the other tests are in the others.",)
    else:
        parts = (f"Shards {here} of the run, merged.",)
    return (*parts, *(results.scan.facts if results.scan is not None else ()))


def coverage_by_check(results: Results) -> dict[str, Counter[CoverageState]]:
    """How many cells of each check ended how, by the check's name."""
    cells = () if results.scan is None else results.scan.coverage
    counts: dict[str, Counter[CoverageState]] = {}
    for cell in sorted(cells, key=lambda each: each.check):
        counts.setdefault(cell.check, Counter())[cell.state] += 1
    return counts


def idle_checks(results: Results) -> dict[str, str]:
    """The checks that had nothing to look at anywhere, by name, with the reason if they gave
    one. No table has a row for them: they are named once, together.
    """
    reasons: dict[str, str] = {}
    for check, counts in coverage_by_check(results).items():
        if set(counts) == {CoverageState.NOT_APPLICABLE}:
            cells = results.cells(CoverageState.NOT_APPLICABLE)
            reasons[check] = next((c.reason for c in cells if c.check == check and c.reason), "")
    return reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Cells of the coverage that are untested for the same reason."""

    state: CoverageState
    reason: str
    checks: tuple[str, ...]
    operations: tuple[str, ...]  # empty for checks of the whole API


def gaps(results: Results) -> tuple[Gap, ...]:
    """What was not tested and why, by reason: first what could not be told, then what was
    skipped; the reason that costs most first."""
    untested = (
        *results.cells(CoverageState.INCONCLUSIVE),
        *results.cells(CoverageState.SKIPPED),
    )
    grouped: dict[tuple[CoverageState, str], list[Coverage]] = {}
    for cell in untested:
        grouped.setdefault((cell.state, cell.reason or "no reason given"), []).append(cell)
    ordered = sorted(grouped.items(), key=lambda item: (item[0][0].value, -len(item[1])))
    return tuple(
        Gap(
            state=state,
            reason=reason,
            checks=_distinct(cell.check for cell in cells),
            operations=_distinct(cell.operation for cell in cells if cell.operation is not None),
        )
        for (state, reason), cells in ordered
    )


def notes(results: Results) -> tuple[str, ...]:
    """The scan's notes without those that only repeat the reason of a gap."""
    if results.scan is None:
        return ()
    repeated = {f"{cell.operation} was not tested: {cell.reason}" for cell in results.scan.coverage}
    return tuple(note for note in results.scan.notes if note.rstrip(".") not in repeated)


def upkeep(results: Results) -> tuple[str, ...]:
    """What somebody should look after: suppressions that have expired or cover nothing, and known
    findings that are gone.
    """
    scan = results.scan
    if scan is None:
        return ()
    lapsed = [_lapsed(use) for use in scan.suppressions if use.expired]
    idle = [
        f"The suppression of {use.what} ({use.reason}) "
        + ("names no check: correct it." if use.misnamed else "covers nothing: remove it.")
        for use in scan.suppressions
        if (use.missed or use.misnamed) and not use.expired
    ]
    gone = [
        f"{entry.check} on {entry.operation} ({entry.fingerprint}) is in {scan.baseline_file} and "
        "is gone: write it anew with --update-baseline."
        for entry in scan.gone
    ]
    return (*lapsed, *idle, *gone)


def _lapsed(use: SuppressionUse) -> str:
    said = f"The suppression of {use.what} ({use.reason}) held until {use.expires}"
    if not use.covers:
        return f"{said}, and covers nothing now: remove it."
    count = "counts" if use.covers == 1 else "count"
    return f"{said}: {plural(use.covers, 'finding')} of it {count} again."


def accepted_until(accepted: SuppressedFinding) -> str:
    """Why a finding is accepted, and until when."""
    until = f" (until {accepted.expires})" if accepted.expires else ""
    return f"{accepted.reason}{until}"


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
