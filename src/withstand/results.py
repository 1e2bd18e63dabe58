"""Everything one invocation learned, what follows from it, and how two of them become one. Pure.

Results hold what merges exactly: histograms, counts, findings, coverage. Verdicts, the exit code
and the headline are computed each time, never stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from typing import TypeVar

from withstand.errors import UsageError
from withstand.load.generator import with_lagging
from withstand.load.measurement import LoadMeasurement
from withstand.load.merge import merge_measurements
from withstand.load.shards import lined_up, shortfall
from withstand.load.stress import StressMeasurement
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.merge import badness, merge_records
from withstand.scan.record import Coverage, CoverageState, ScanRecord
from withstand.slo import (
    DriftVerdict,
    Objective,
    SoakRules,
    Verdict,
    VerdictState,
    judge,
    judge_soak,
)
from withstand.slo.capacity import Capacity, capacity, objectives_of_a_step
from withstand.slo.capacity_text import capacity_clauses
from withstand.slo.trial_plan import left_to_load
from withstand.slo.trial_record import (
    TrialRecord,
    judge_trials,
    merge_trials,
    same_requests,
)
from withstand.stats.drift import Movement


class Conclusion(StrEnum):
    """What the whole run says about the API."""

    HELD = "held"  # everything that was asked was answered, and well
    MEASURED = "measured"  # there was load but no objective: numbers without a judgement
    UNDECIDED = "undecided"  # nothing bad is proven, but something could not be told
    FAILED = "failed"  # an objective is breached or a finding stands
    VOID = "void"  # the run says nothing about the API


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One invocation, or several merged into one.

    `started_at` is in Unix seconds. `command` is the command line as typed, with secrets masked;
    `config` names the file that the settings came from. `scan`, `trials`, `load` and `stress` are
    None where the invocation had none. A finding fails the run from the severity `fail_on` on,
    unless it is tentative; `soak` is what a soak test is held against, None for other runs;
    `strict` makes what could not be decided void the run. `interrupted` runs were stopped before
    their end and are undecided at best.
    """

    started_at: float
    duration_s: float
    version: str
    command: str
    base_url: str
    api_title: str | None = None
    api_version: str | None = None
    config: str | None = None
    scan: ScanRecord | None = None
    load: LoadMeasurement | None = None
    stress: StressMeasurement | None = None
    trials: TrialRecord | None = None
    objectives: tuple[Objective, ...] = ()
    soak: SoakRules | None = None
    fail_on: Severity = Severity.MEDIUM
    strict: bool = False
    interrupted: bool = False
    # What the search comes to takes a while to work out, and every part of a report asks for it.
    _found: list[Capacity] = field(init=False, repr=False, compare=False, default_factory=list)
    # Everything here is asked for its verdicts many times, and long runs take a while to judge.
    _judged: list[tuple[Verdict, ...]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each objective and operation it covers, by trials and by load; none
        without either.
        """
        if not self._judged:
            judged = judge(self.objectives, self.load) if self.load is not None else ()
            tried = judge_trials(self.objectives, self.trials) if self.trials is not None else ()
            self._judged.append((*tried, *judged))
        return self._judged[0]

    def left_to_load(self) -> tuple[Objective, ...]:
        """The objectives that trials say nothing about, where there was no load to be judged."""
        if self.trials is None or self.load is not None:
            return ()
        return left_to_load(self.objectives)

    def drifts(self) -> tuple[DriftVerdict, ...]:
        """One verdict for each quantity that a soak test watches; none of other runs."""
        if self.soak is None or self.load is None:
            return ()
        return judge_soak(self.soak, self.load)

    def drifting(self, movement: Movement = Movement.GROWS) -> tuple[DriftVerdict, ...]:
        """What surely drifts by more than is tolerated, or is said to move in another way."""
        return tuple(each for each in self.drifts() if each.movement is movement)

    def capacity(self) -> Capacity | None:
        """What the search for the sustainable rate came to; None without one."""
        if self.stress is None:
            return None
        if not self._found:
            self._found.append(capacity(objectives_of_a_step(self.objectives), self.stress))
        return self._found[0]

    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst and surest first."""
        return () if self.scan is None else tuple(sorted(self.scan.findings, key=badness))

    def fails(self, finding: Finding) -> bool:
        """Whether the finding fails the run: bad enough and not just tentative."""
        return fails_at(self.fail_on, finding)

    def failing_findings(self) -> tuple[Finding, ...]:
        """The findings that fail the run, the worst first."""
        return tuple(finding for finding in self.findings() if self.fails(finding))

    def breached(self) -> tuple[Verdict, ...]:
        """The objectives that are proven breached. Latencies that are the generator's own prove
        nothing and are inconclusive; what else is breached stays so."""
        return tuple(each for each in self.verdicts() if each.state is VerdictState.BREACHED)

    def void_reasons(self) -> tuple[str, ...]:
        """Why parts of the run cannot be trusted, or judged at all; empty when all can."""
        unmeasured = dict.fromkeys(verdict.reason for verdict in self.unmeasured())
        return self.untrusted_reasons() or tuple(unmeasured)

    def untrusted_reasons(self) -> tuple[str, ...]:
        """Why what was measured is not the API's doing; empty when it is."""
        scan = self.scan.void if self.scan is not None else None
        tried = self.trials.void if self.trials is not None else None
        health = self.load.generator if self.load is not None else None
        saturated = health.saturated if health is not None else None
        lost = shortfall(self.load) if self.load is not None else None
        lagging = health.lagging if health is not None else None
        if not any(verdict.reason == lagging for verdict in self.inconclusive()):
            lagging = None  # late, but no verdict hangs on it
        script = self.load.script if self.load is not None else None
        broken = script.void() if script is not None else None
        found = self.capacity()
        search = found.void if found is not None else None
        reasons = (scan, tried, broken, lost, saturated, lagging, search)
        return tuple(reason for reason in reasons if reason is not None)

    def unmeasured(self) -> tuple[Verdict, ...]:
        """The objectives without a single sample: they are not met, whatever else is."""
        return tuple(verdict for verdict in self.verdicts() if verdict.without_samples)

    @property
    def aborted(self) -> str | None:
        """Which objective ended the load before its time; None when it ran to its end."""
        return self.load.aborted if self.load is not None else None

    def inconclusive(self) -> tuple[Verdict, ...]:
        """The objectives on which the measurement does not suffice for a verdict."""
        return tuple(each for each in self.verdicts() if each.state is VerdictState.INCONCLUSIVE)

    def cells(self, state: CoverageState) -> tuple[Coverage, ...]:
        """The cells of the scan's coverage that ended in a state."""
        return () if self.scan is None else tuple(c for c in self.scan.coverage if c.state is state)

    def conclusion(self) -> Conclusion:
        """What the run says.

        A finding that stands and an objective breached by a healthy generator stay true whatever
        went wrong elsewhere, so they outrank a void part; a void part outranks everything that
        seems to be well.
        """
        found = self.capacity()
        failed = self.failing_findings() or self.breached() or self.drifting() or self.aborted
        if failed or (found is not None and found.fails):
            return Conclusion.FAILED
        if self.void_reasons():
            return Conclusion.VOID
        undecided = self.inconclusive() or self.drifting(Movement.UNDECIDED)
        if self.interrupted or undecided or self.cells(CoverageState.INCONCLUSIVE):
            return Conclusion.UNDECIDED
        if found is not None:
            return Conclusion.HELD if found.found else Conclusion.UNDECIDED
        if self.scan is not None and not self.cells(CoverageState.PASSED):
            return Conclusion.HELD if self.cells(CoverageState.FAILED) else Conclusion.UNDECIDED
        if self.scan is not None or self.verdicts() or self.drifts():
            return Conclusion.HELD
        return Conclusion.MEASURED if self.load is not None else Conclusion.UNDECIDED

    def exit_code(self) -> int:
        """0 nothing bad proven · 1 breached or found · 3 void, or undecided when strict."""
        match self.conclusion():
            case Conclusion.FAILED:
                return 1
            case Conclusion.VOID:
                return 3
            case Conclusion.UNDECIDED:
                return 3 if self.strict else 0
            case Conclusion.HELD | Conclusion.MEASURED:
                return 0

    def headline(self) -> str:
        """The verdict in one sentence."""
        match self.conclusion():
            case Conclusion.FAILED:
                return _joined_clauses(_failures(self))
            case Conclusion.VOID:
                return _joined_clauses(_voids(self))
            case Conclusion.UNDECIDED:
                return _joined_clauses(_doubts(self))
            case Conclusion.HELD:
                return _joined_clauses(_successes(self))
            case Conclusion.MEASURED:
                measured = self.load.operations.values() if self.load is not None else ()
                requests = _count(sum(each.requests for each in measured), "request")
                return f"{requests} measured; no objective was set, so nothing is judged."


def fails_at(fail_on: Severity, finding: Finding) -> bool:
    """Whether the finding is at least that bad, and not just tentative."""
    bad_enough = finding.severity.rank >= fail_on.rank
    return bad_enough and finding.confidence is not Confidence.TENTATIVE


def merge(first: Results, second: Results) -> Results:
    """One Results of two shards, exactly: histograms and counts add, findings unite.

    Merging is associative, so any number of shards gives the same whole in any grouping. Shards
    run side by side, so the whole lasts as long as the longest. Raises UsageError for runs against
    different targets or of different kinds.
    """
    _refuse_different("targets", first.base_url, second.base_url)
    _refuse_different("kinds", _kind(first), _kind(second))
    if first.stress is not None:
        raise UsageError(
            "two searches for the sustainable rate cannot be merged: each chose its rates by "
            "what it had seen itself",
            hint="read each on its own",
        )
    return Results(
        started_at=min(first.started_at, second.started_at),
        duration_s=max(first.duration_s, second.duration_s),
        version=_both(first.version, second.version, ", "),
        command=_both(first.command, second.command, "\n"),
        base_url=first.base_url,
        api_title=first.api_title or second.api_title,
        api_version=first.api_version or second.api_version,
        config=first.config or second.config,
        scan=merge_records(first.scan, second.scan) if first.scan and second.scan else None,
        load=merge_measurements(first.load, second.load) if first.load and second.load else None,
        trials=merge_trials(first.trials, second.trials)
        if first.trials and second.trials
        else None,
        objectives=_union(first.objectives, second.objectives),
        soak=first.soak or second.soak,
        fail_on=min(first.fail_on, second.fail_on, key=lambda severity: severity.rank),
        strict=first.strict or second.strict,
        interrupted=first.interrupted or second.interrupted,
    )


def merge_shards(shards: Sequence[Results]) -> Results:
    """One Results of all the parts of a run, of which there is at least one.

    Windows of load are lined up by the clock first. Raises UsageError for what are no shards of
    one run.
    """
    measured = [each.load for each in shards if each.load is not None]
    if not all(load.shards for load in measured):
        raise UsageError(
            "a whole load is no shard, and two of them are not one run",
            hint="run each machine with --shard, such as --shard 1/2 and --shard 2/2",
        )
    if shared := same_requests([each.trials for each in shards if each.trials is not None]):
        raise UsageError(
            f"the same requests of {shared} are there twice",
            hint="give the results of each shard once",
        )
    loads = iter(lined_up(measured))
    whole = reduce(
        merge, [each if each.load is None else replace(each, load=next(loads)) for each in shards]
    )
    # Whether their lateness matters is a question to all of them together, with one answer.
    return whole if whole.load is None else replace(whole, load=with_lagging(whole.load))


def _voids(results: Results) -> list[str]:
    if untrusted := results.untrusted_reasons():
        return [f"the run says nothing about the API: {'; '.join(untrusted)}"]
    share = _of(len(results.unmeasured()), len(results.verdicts()), "objective")
    return [f"{share} not met for want of a single sample: {'; '.join(results.void_reasons())}"]


def _failures(results: Results) -> list[str]:
    clauses = []
    if findings := results.failing_findings():
        stand = "finding stands" if len(findings) == 1 else "findings stand"
        worst = "" if len(findings) == 1 else "the worst "
        clauses.append(f"{len(findings)} {stand} ({worst}{findings[0].severity})")
    if breached := results.breached():
        clauses.append(f"{_of(len(breached), len(results.verdicts()), 'objective')} breached")
    if drifting := results.drifting():
        clauses.append(f"{_named(drifting)} drifted")
    if found := results.capacity():
        clauses += capacity_clauses(found)
    if void := results.void_reasons():
        clauses.append(f"part of the run is void: {'; '.join(void)}")
    if results.aborted:
        clauses.append(f"the run was aborted because {results.aborted}")
    return clauses


def _doubts(results: Results) -> list[str]:
    clauses = []
    if found := results.capacity():
        clauses += capacity_clauses(found)
    if open_verdicts := results.inconclusive():
        share = _of(len(open_verdicts), len(results.verdicts()), "objective")
        clauses.append(f"{share} undecided")
    if drifts := results.drifting(Movement.UNDECIDED):
        clauses.append(f"drift of {_named(drifts)} is undecided")
    if cells := results.cells(CoverageState.INCONCLUSIVE):
        clauses.append(f"{_tests(cells)} could not tell")
    if results.interrupted:
        clauses.append("the run was interrupted")
    if results.stress is not None:
        return clauses
    if not clauses:
        return ["nothing was tested, so nothing is known"]
    aside = _set_aside(results)
    return ["nothing new is proven" if aside else "nothing bad is proven", *clauses, *aside]


def _successes(results: Results) -> list[str]:
    clauses = []
    if results.scan is not None:
        clauses.append(f"{_tests(results.cells(CoverageState.PASSED))} passed")
    if minor := results.findings():
        what = "finding is" if len(minor) == 1 else "findings are"
        clauses.append(f"{len(minor)} {what} too minor or too uncertain to fail the run")
    clauses += _set_aside(results)
    if verdicts := results.verdicts():
        all_met = (
            "the objective is" if len(verdicts) == 1 else f"all {len(verdicts)} objectives are"
        )
        clauses.append(f"{all_met} met")
    if left := results.left_to_load():
        clauses.append(f"{_count(len(left), 'objective')} more can be judged only under load")
    if results.drifts():
        clauses.append("nothing drifted")
    if found := results.capacity():
        clauses += capacity_clauses(found)
    return clauses


def _set_aside(results: Results) -> list[str]:
    """Findings that would fail the run but for what the team said about them."""
    if results.scan is None:
        return []
    known, accepted = len(results.scan.known), len(results.scan.suppressed)
    is_known = f"{_count(known, 'known finding')} {'is' if known == 1 else 'are'} still there"
    is_accepted = f"{_count(accepted, 'finding')} {'is' if accepted == 1 else 'are'} accepted"
    return [*([is_known] if known else []), *([is_accepted] if accepted else [])]


def _named(drifts: tuple[DriftVerdict, ...]) -> str:
    names = [each.quantity.value for each in drifts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tests(cells: tuple[Coverage, ...]) -> str:
    """How many cells of how many checks: a check is run on every operation that it concerns."""
    checks = len({cell.check for cell in cells})
    by = _count(checks, "check")
    return by if checks == len(cells) else f"{_count(len(cells), 'test')} by {by}"


def _joined_clauses(clauses: list[str]) -> str:
    text = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _of(part: int, whole: int, noun: str) -> str:
    return f"{part} of {_count(whole, noun)} {'is' if part == 1 else 'are'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _kind(results: Results) -> str:
    parts = (
        ("scan", results.scan),
        ("trials", results.trials),
        ("load", results.load),
        ("stress", results.stress),
    )
    return " and ".join(name for name, part in parts if part is not None) or "nothing"


def _refuse_different(what: str, first: str, second: str) -> None:
    if first != second:
        raise UsageError(
            f"runs of different {what} cannot be merged: {first} and {second}",
            hint="merge only shards of one run",
        )


T = TypeVar("T")


def _union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _both(first: str, second: str, separator: str) -> str:
    return separator.join(_union(tuple(first.split(separator)), tuple(second.split(separator))))
