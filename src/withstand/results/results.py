"""Everything one invocation learned, and what follows from it. Pure.

Results hold what merges exactly: histograms, counts, findings, coverage. Verdicts and the exit code
are computed each time, never stored.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from withstand.load.measurement import LoadMeasurement
from withstand.load.shards import load_shortfall
from withstand.load.stress import StressMeasurement
from withstand.results.void_run import VoidRun, why_nothing
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.records.merge import badness
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord
from withstand.scan.records.share import scan_shortfall
from withstand.sharding import Shard, missing_from, shortfall
from withstand.sharding.suite import Outcome, SuiteRecord
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
from withstand.slo.trial_plan import left_to_load
from withstand.slo.trial_record import TrialRecord, judge_trials, trials_shortfall
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
    `config` names the file that the settings came from, `commit` what was tested, where that is
    known. `scan`, `trials`, `load`, `stress`
    and `suite` are None where the invocation had none; a suite alone has no `base_url`, which is
    empty then. A finding fails the run from the severity `fail_on` on,
    unless it is tentative; `soak` is what a soak test is held against, None for other runs;
    `void_runs` are those that came to nothing;
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
    commit: str | None = None
    scan: ScanRecord | None = None
    load: LoadMeasurement | None = None
    stress: StressMeasurement | None = None
    trials: TrialRecord | None = None
    suite: SuiteRecord | None = None
    void_runs: tuple[VoidRun, ...] = ()
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

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The parts of a divided scan, and of divided trials, that these are; none of a whole."""
        part = self.scan or self.trials
        return () if part is None else part.shards

    @property
    def holds_several_shards(self) -> bool:
        """Whether shards were merged into these."""
        load = () if self.load is None else self.load.shards
        suite = () if self.suite is None else self.suite.parts
        return max(len(self.shards), len(load), len(suite), len(self.void_runs)) > 1

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each objective and operation it covers, by trials and by load; none
        without either.
        """
        if not self._judged:
            judged = judge(self.objectives, self.load) if self.load is not None else ()
            tried = judge_trials(self.objectives, self.trials) if self.trials is not None else ()
            self._judged.append((*tried, *judged))
        return self._judged[0]

    def subject(self) -> str:
        """What was tested: the API's title, or its address, or the suite."""
        nameless = "the API" if self.suite is None else "pytest"
        return self.api_title or self.base_url or nameless

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
        lost = load_shortfall(self.load) if self.load is not None else None
        lagging = health.lagging if health is not None else None
        if not any(verdict.reason == lagging for verdict in self.inconclusive()):
            lagging = None  # late, but no verdict hangs on it
        script = self.load.script if self.load is not None else None
        broken = script.void() if script is not None else None
        found = self.capacity()
        search = found.void if found is not None else None
        told = self._void_shards(of_load=False)
        untested = scan_shortfall(self.scan, told) if self.scan is not None else None
        untried = trials_shortfall(self.trials, told) if self.trials is not None else None
        reasons = (scan, untested, tried, untried, broken, lost, saturated, lagging, search)
        troubles = self.suite.troubles() if self.suite is not None else ()
        known = (reason for reason in reasons if reason is not None)
        every = (*why_nothing(self.void_runs), *known, *troubles, *self._left_alone())
        return tuple(dict.fromkeys(every))  # what ends the trials of a check ends its scan

    def _left_alone(self) -> tuple[str, ...]:
        """What has one shard at most, though results of several kinds were merged. In results of
        one kind a shard alone is no trouble: the others are under way elsewhere.
        """
        suite = () if self.suite is None else tuple(part.shard for part in self.suite.parts)
        load = () if self.load is None else self.load.shards
        void, void_load = (self._void_shards(of_load=of_load) for of_load in (False, True))
        kinds = (self.scan or self.trials or void, self.load or void_load, self.suite)
        if sum(bool(kind) for kind in kinds) < 2:
            return ()
        lack = "part of the load has no result", "parts of the load have no result"
        parts = (
            (self.shards, "its checks have no result", "their checks have no result", void),
            (load, f"its {lack[0]}", f"their {lack[1]}", void_load),
            (suite, "its tests have no result", "their tests have no result", ()),
        )
        found = (
            shortfall(shards or told, one, several, told=told)
            for shards, one, several, told in parts
            if len(shards) < 2
        )
        return tuple(reason for reason in found if reason is not None)

    def _void_shards(self, *, of_load: bool) -> tuple[Shard, ...]:
        """The shards that came to nothing, of a load or of what is divided test by test."""
        void = (each.shard for each in self.void_runs if each.of_load is of_load)
        return tuple(shard for shard in void if shard is not None)

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
        suite = self.suite
        failed = self.failing_findings() or self.breached() or self.drifting() or self.aborted
        if suite is not None and (suite.failed() or suite.uncollected()):
            return Conclusion.FAILED
        if failed or (found is not None and found.fails):
            return Conclusion.FAILED
        if self.void_reasons():
            return Conclusion.VOID
        undecided = self.inconclusive() or self.drifting(Movement.UNDECIDED)
        cut_short = self.scan is not None and self.scan.cut_short is not None
        if self.interrupted or cut_short or undecided or self.cells(CoverageState.INCONCLUSIVE):
            return Conclusion.UNDECIDED
        if found is not None:
            return Conclusion.HELD if found.found else Conclusion.UNDECIDED
        if missing_from(self.shards):
            return Conclusion.HELD  # whether anything was tested at all, the whole will say
        if self.scan is not None and not self.cells(CoverageState.PASSED):
            return Conclusion.HELD if self.cells(CoverageState.FAILED) else Conclusion.UNDECIDED
        if suite is not None and suite.counts()[Outcome.PASSED]:
            return Conclusion.HELD
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


def fails_at(fail_on: Severity, finding: Finding) -> bool:
    """Whether the finding is at least that bad, and not just tentative."""
    bad_enough = finding.severity.rank >= fail_on.rank
    return bad_enough and finding.confidence is not Confidence.TENTATIVE
