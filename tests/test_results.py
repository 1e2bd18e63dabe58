"""What follows from Results, and that merging them loses, repeats and reorders nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.results_strategies import BASE_URL, full_results, histograms
from withstand.errors import UsageError
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.window import Window
from withstand.report.headline import headline
from withstand.results import Conclusion, Results, merge, merge_shards
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord
from withstand.sharding import Shard
from withstand.slo import Indicator, Objective, VerdictState, parse_objective
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram

MS = 1_000_000
P95_BELOW_200_MS = Objective(indicator=Indicator.QUANTILE, quantile=0.95, limit=200 * MS)


# --- what follows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "confidence", "fails"),
    [
        (Severity.MEDIUM, Confidence.CERTAIN, True),
        (Severity.CRITICAL, Confidence.FIRM, True),
        (Severity.LOW, Confidence.CERTAIN, False),
        (Severity.CRITICAL, Confidence.TENTATIVE, False),
    ],
)
def test_a_finding_fails_the_run_when_it_is_bad_enough_and_more_than_tentative(
    severity: Severity, confidence: Confidence, fails: bool
) -> None:
    results = scanned(findings=(finding(severity=severity, confidence=confidence),))
    assert bool(results.failing_findings()) is fails
    assert results.exit_code() == (1 if fails else 0)


def test_findings_come_with_the_worst_and_surest_first() -> None:
    low = finding(severity=Severity.LOW)
    firm = finding(severity=Severity.HIGH)
    certain = finding(severity=Severity.HIGH, confidence=Confidence.CERTAIN)
    assert scanned(findings=(low, firm, certain)).findings() == (certain, firm, low)


def test_a_clean_scan_holds() -> None:
    results = scanned(CoverageState.PASSED, CoverageState.SKIPPED)
    assert (results.conclusion(), results.exit_code()) == (Conclusion.HELD, 0)
    assert headline(results) == "1 check passed."


def test_a_check_that_passed_on_many_operations_is_not_counted_as_many_checks() -> None:
    results = scanned(CoverageState.PASSED)
    assert results.scan is not None
    (cell,) = results.scan.coverage
    elsewhere = replace(cell, operation="GET /elsewhere")
    twice = replace(results, scan=replace(results.scan, coverage=(cell, elsewhere)))
    assert headline(twice) == "2 tests by 1 check passed."


def test_a_minor_finding_does_not_fail_the_run_but_is_in_the_headline() -> None:
    results = scanned(CoverageState.PASSED, findings=(finding(severity=Severity.LOW),))
    assert results.exit_code() == 0
    assert headline(results) == (
        "1 check passed and 1 finding is too minor or too uncertain to fail the run."
    )


def test_a_scan_that_tested_nothing_does_not_hold() -> None:
    results = scanned(CoverageState.SKIPPED)
    assert results.conclusion() is Conclusion.UNDECIDED
    assert headline(results) == "Nothing was tested, so nothing is known."
    assert replace(results, strict=True).exit_code() == 3


def test_a_check_that_could_not_tell_voids_only_a_strict_run() -> None:
    results = scanned(CoverageState.PASSED, CoverageState.INCONCLUSIVE)
    assert (results.conclusion(), results.exit_code()) == (Conclusion.UNDECIDED, 0)
    assert replace(results, strict=True).exit_code() == 3
    assert headline(results) == "Nothing bad is proven and 1 check could not tell."


def test_a_void_scan_exits_3_although_nothing_was_found() -> None:
    results = scanned(CoverageState.PASSED, void="alice cannot log in any more")
    assert (results.conclusion(), results.exit_code()) == (Conclusion.VOID, 3)
    assert headline(results) == "The run says nothing about the API: alice cannot log in any more."


def test_a_finding_that_stands_outranks_a_void_run() -> None:
    results = scanned(findings=(finding(),), void="alice cannot log in any more")
    assert (results.conclusion(), results.exit_code()) == (Conclusion.FAILED, 1)
    assert headline(results) == (
        "1 finding stands (high) and part of the run is void: alice cannot log in any more."
    )


def test_an_interrupted_run_is_undecided_at_best() -> None:
    results = replace(scanned(CoverageState.PASSED), interrupted=True)
    assert results.conclusion() is Conclusion.UNDECIDED
    assert "the run was interrupted" in headline(results)


def test_load_without_an_objective_is_measured_and_not_judged() -> None:
    results = loaded(Histogram([5 * MS] * 30))
    assert (results.conclusion(), results.exit_code()) == (Conclusion.MEASURED, 0)
    assert headline(results) == (
        "30 requests measured; no objective was set, so nothing is judged."
    )


def test_an_objective_that_is_met_holds() -> None:
    results = loaded(Histogram([5 * MS] * 5_000), P95_BELOW_200_MS)
    assert (results.conclusion(), results.exit_code()) == (Conclusion.HELD, 0)
    assert headline(results) == "The objective is met."


def test_an_objective_that_is_breached_fails_the_run() -> None:
    results = loaded(Histogram([500 * MS] * 5_000), P95_BELOW_200_MS)
    assert (results.conclusion(), results.exit_code()) == (Conclusion.FAILED, 1)
    assert headline(results) == "1 of 1 objective is breached."


def test_too_few_samples_leave_an_objective_undecided_and_void_only_a_strict_run() -> None:
    results = loaded(Histogram([5 * MS] * 3), P95_BELOW_200_MS)
    assert (results.conclusion(), results.exit_code()) == (Conclusion.UNDECIDED, 0)
    assert replace(results, strict=True).exit_code() == 3


def test_an_objective_without_a_single_sample_voids_the_run_whatever_else_is_met() -> None:
    elsewhere = parse_objective("p95<1s", operation="GET /elsewhere")
    results = replace(loaded(Histogram([5 * MS] * 5_000)), objectives=(P95_BELOW_200_MS, elsewhere))
    assert (results.conclusion(), results.exit_code()) == (Conclusion.VOID, 3)
    assert headline(results) == (
        "1 of 2 objectives is not met for want of a single sample: no request of GET /elsewhere "
        "came to an end."
    )
    breached = parse_objective("p95<1ms")
    assert replace(results, objectives=(breached, elsewhere)).exit_code() == 1
    unwatched = parse_objective("memory_growth<1MB")
    assert replace(results, objectives=(unwatched,)).exit_code() == 3


def test_a_run_that_an_objective_ended_fails_and_says_which() -> None:
    results = loaded(Histogram([5 * MS] * 5_000), P95_BELOW_200_MS)
    assert results.load is not None
    aborted = replace(results, load=replace(results.load, aborted="errors=0% is broken"))
    assert (aborted.conclusion(), aborted.exit_code()) == (Conclusion.FAILED, 1)
    assert headline(aborted) == "The run was aborted because errors=0% is broken."
    assert merge(aborted, results).aborted == "errors=0% is broken"


def test_a_saturated_generator_proves_no_breach() -> None:
    results = loaded(Histogram([500 * MS] * 5_000), P95_BELOW_200_MS, saturated="its CPU was full")
    assert (results.conclusion(), results.exit_code()) == (Conclusion.VOID, 3)


def test_a_late_generator_voids_only_a_run_whose_verdict_hangs_on_it() -> None:
    slow = loaded(Histogram([500 * MS] * 5_000), P95_BELOW_200_MS, lagging="it was late")
    fast = loaded(Histogram([5 * MS] * 5_000), P95_BELOW_200_MS, lagging="it was late")
    assert slow.load is not None
    (operation,) = slow.load.operations.values()
    served_fast = replace(operation, service_time=Histogram([5 * MS] * 5_000))
    late = replace(slow, load=replace(slow.load, operations={"GET /users": served_fast}))

    assert (late.conclusion(), late.exit_code()) == (Conclusion.VOID, 3)
    assert (slow.conclusion(), slow.exit_code()) == (Conclusion.FAILED, 1)
    assert (fast.conclusion(), fast.exit_code()) == (Conclusion.HELD, 0)


def test_a_part_of_the_load_that_was_lost_voids_the_run_unless_a_breach_stands_anyway() -> None:
    lost = "process 2 of 2 was killed"
    fast = loaded(Histogram([5 * MS] * 5_000), P95_BELOW_200_MS, lost=lost)
    slow = loaded(Histogram([500 * MS] * 5_000), P95_BELOW_200_MS, lost=lost)
    assert (fast.conclusion(), fast.exit_code()) == (Conclusion.VOID, 3)
    assert lost in headline(fast)
    assert (slow.conclusion(), slow.exit_code()) == (Conclusion.FAILED, 1)
    assert loaded(Histogram([5 * MS]), lost=lost).exit_code() == 3


def test_memory_that_grows_under_a_saturated_generator_grows_all_the_same() -> None:
    results = loaded(
        Histogram([5 * MS] * 5_000), parse_objective("memory_growth<1MB"), saturated="it was full"
    )
    assert results.load is not None
    memory = tuple(
        ServerSample(at_s=second / 4, rss_bytes=second * 1_000_000) for second in range(40)
    )
    grown = replace(results, load=replace(results.load, server_samples=memory))

    assert (grown.conclusion(), grown.exit_code()) == (Conclusion.FAILED, 1)


# --- trials -------------------------------------------------------------------------------------


def test_trials_are_judged_anew_and_hold_or_fail_the_run() -> None:
    assert tried([100 * MS] * 90).exit_code() == 0
    assert headline(tried([100 * MS] * 90)) == "The objective is met."
    assert tried([300 * MS] * 80).exit_code() == 1
    few = tried([100 * MS] * 30)
    assert (few.conclusion(), few.exit_code()) == (Conclusion.UNDECIDED, 0)
    assert replace(few, strict=True).exit_code() == 3


def test_an_objective_that_only_a_load_can_judge_is_neither_met_nor_undecided() -> None:
    results = tried([100 * MS] * 90)
    results = replace(results, objectives=(*results.objectives, parse_objective("max<1s")))
    assert len(results.verdicts()) == 1
    assert [each.text for each in results.left_to_load()] == ["max<1s"]
    assert (results.conclusion(), results.exit_code()) == (Conclusion.HELD, 0)
    assert "1 objective more can be judged only under load" in headline(results)


def test_trials_that_tried_nothing_do_not_hold() -> None:
    nothing = tried([])
    assert nothing.exit_code() == 3
    assert replace(nothing, objectives=()).conclusion() is Conclusion.UNDECIDED


def test_a_target_that_is_gone_voids_the_run_unless_a_breach_stands() -> None:
    gone = "it stopped answering"
    assert tried([100 * MS] * 90, void=gone).exit_code() == 3
    assert gone in headline(tried([100 * MS] * 90, void=gone))
    assert tried([300 * MS] * 80, void=gone).exit_code() == 1


def test_the_requests_of_two_shards_decide_together() -> None:
    half = tried([100 * MS] * 45)
    (alone,), (both,) = half.verdicts(), merge(half, half).verdicts()
    assert alone.state is VerdictState.INCONCLUSIVE
    assert (both.state, both.samples, both.spent_s) == (VerdictState.MET, 90, 4.0)


# --- merging ------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(full_results, full_results, full_results)
def test_merging_gives_the_same_in_any_grouping(a: Results, b: Results, c: Results) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@settings(max_examples=15, deadline=None)
@given(full_results, full_results)
def test_merging_loses_and_invents_no_request_and_no_finding(a: Results, b: Results) -> None:
    whole = merge(a, b)
    parts = [each for each in (a.load, b.load) if each is not None]
    assert whole.load is not None
    assert sum(each.requests for each in whole.load.operations.values()) == sum(
        each.requests for part in parts for each in part.operations.values()
    )
    assert sum(_in_windows(each) for each in whole.load.operations.values()) == sum(
        _in_windows(each) for part in parts for each in part.operations.values()
    )
    assert {each.fingerprint for each in whole.findings()} == {
        each.fingerprint for part in (a, b) for each in part.findings()
    }


@given(histograms, histograms)
@settings(max_examples=30, deadline=None)
def test_the_merged_distribution_is_that_of_all_requests(a: Histogram, b: Histogram) -> None:
    whole = merge(loaded(a), loaded(b))
    assert whole.load is not None
    assert whole.load.operations["GET /users"].response_time == a + b


def test_windows_of_different_width_join_at_a_width_that_holds_both() -> None:
    def of(second: int, width_s: int) -> Window:
        return Window(
            second=second, width_s=width_s, response_time=Histogram([second]), unexpected=second
        )

    first = loaded(Histogram(), windows=(of(0, 1), of(1, 1), of(2, 1), of(3, 1)))
    second = loaded(Histogram(), windows=(of(0, 2), of(2, 2)))
    load = merge(first, second).load
    assert load is not None
    joined = load.operations["GET /users"].windows
    assert [(each.second, each.width_s, each.errors) for each in joined] == [(0, 2, 1), (2, 2, 7)]
    assert joined[1].response_time == Histogram([2, 3, 2])


def test_shards_that_were_late_together_are_late_in_one_sentence() -> None:
    def shard(number: int, lag_ms: int) -> Results:
        one = loaded(Histogram([100 * MS] * 100), lagging=f"sent {lag_ms} ms late")
        assert one.load is not None
        health = replace(one.load.generator, send_lag=Histogram([lag_ms * MS] * 100))
        return replace(
            one, load=replace(one.load, generator=health, shards=(Shard(number=number, total=2),))
        )

    whole = merge_shards([shard(1, 60), shard(2, 90)])
    assert whole.load is not None
    assert whole.load.generator.lagging is not None
    assert whole.load.generator.lagging.count("late") == 1
    assert "89.9 ms" in whole.load.generator.lagging


def test_the_same_finding_of_two_shards_is_one_with_the_worse_proof() -> None:
    weak = finding(severity=Severity.LOW, operations=("A", "B"))
    strong = finding(severity=Severity.HIGH, operations=("B", "C"))
    merged = merge(scanned(findings=(weak,)), scanned(findings=(strong,))).findings()
    assert [(each.severity, each.operations) for each in merged] == [
        (Severity.HIGH, ("A", "B", "C"))
    ]


def test_a_cell_that_one_shard_tested_is_tested() -> None:
    cells = merge(scanned(CoverageState.SKIPPED), scanned(CoverageState.PASSED))
    assert cells.scan is not None
    assert [cell.state for cell in cells.scan.coverage] == [CoverageState.PASSED]


def test_the_strictest_demand_of_the_shards_holds_for_the_whole() -> None:
    whole = merge(replace(scanned(), fail_on=Severity.HIGH), replace(scanned(), strict=True))
    assert (whole.fail_on, whole.strict) == (Severity.MEDIUM, True)


def test_merging_trials_gives_the_same_verdicts_in_either_order() -> None:
    shards = [tried([100 * MS] * 90), tried([300 * MS] * 80), tried([None] * 30 + [MS] * 9)]
    for first in shards:
        for second in shards:
            one, other = merge(first, second).verdicts(), merge(second, first).verdicts()
            assert [(v.state, v.observed, v.interval, v.samples) for v in one] == [
                (v.state, v.observed, v.interval, v.samples) for v in other
            ]


def test_runs_against_different_targets_are_not_merged() -> None:
    with pytest.raises(UsageError, match=r"different targets .*127\.0\.0\.1:8000 and http://other"):
        merge(scanned(), replace(scanned(), base_url="http://other"))


def test_runs_of_different_kinds_are_not_merged() -> None:
    with pytest.raises(UsageError, match=r"different kinds .*scan and load"):
        merge(scanned(), loaded(Histogram()))


def test_open_and_closed_load_are_not_merged() -> None:
    open_run, closed = loaded(Histogram()), loaded(Histogram())
    assert closed.load is not None
    with pytest.raises(UsageError, match="the open model cannot be merged with one of the closed"):
        merge(open_run, replace(closed, load=replace(closed.load, model="closed")))


# --- builders -----------------------------------------------------------------------------------


def scanned(
    *states: CoverageState, findings: tuple[Finding, ...] = (), void: str | None = None
) -> Results:
    """A scan whose checks ended so."""
    cells = tuple(
        Coverage(check=f"check-{index}", operation=None, state=state)
        for index, state in enumerate(states)
    )
    failed = tuple(
        Coverage(check=each.check, operation=None, state=CoverageState.FAILED) for each in findings
    )
    return _results(
        scan=ScanRecord(
            findings=findings,
            coverage=(*cells, *failed),
            operations=("GET /users",),
            identities=(("alice", "user"),),
            requests=10,
            duration_s=1.0,
            void=void,
        )
    )


def loaded(
    response_time: Histogram,
    *objectives: Objective,
    saturated: str | None = None,
    lagging: str | None = None,
    lost: str | None = None,
    windows: tuple[Window, ...] = (),
) -> Results:
    """An open load on one operation, every request answered with 200."""
    count = response_time.count
    operation = OperationMeasurement(
        operation="GET /users",
        response_time=response_time,
        service_time=response_time,
        first_byte=response_time,
        statuses={200: count} if count else {},
        windows=windows or _spread(response_time, seconds=10),
    )
    load = LoadMeasurement(
        model="open",
        profile="200/s for 10s",
        started_at=0.0,
        duration_s=10.0,
        offered=count,
        sent=count,
        late=0,
        unanswered=0,
        operations={"GET /users": operation},
        generator=GeneratorHealth(
            cpu_share=0.1, send_lag=Histogram(), saturated=saturated, lagging=lagging, lost=lost
        ),
    )
    return replace(_results(load=load), objectives=objectives)


def finding(
    *,
    severity: Severity = Severity.HIGH,
    confidence: Confidence = Confidence.FIRM,
    operations: tuple[str, ...] = ("GET /users",),
) -> Finding:
    """A finding of no particular check."""
    return Finding(
        check="bola-read",
        title="t",
        severity=severity,
        confidence=confidence,
        operations=operations,
        detail="d",
        remedy="r",
        evidence=(),
        whole_api=len(operations) > 1,
    )


def _results(*, scan: ScanRecord | None = None, load: LoadMeasurement | None = None) -> Results:
    return Results(
        started_at=0.0,
        duration_s=1.0,
        version="0.1.0",
        command="withstand check",
        base_url=BASE_URL,
        scan=scan,
        load=load,
    )


def _spread(response_time: Histogram, *, seconds: int) -> tuple[Window, ...]:
    """The values of a histogram dealt out to windows of a second."""
    dealt = [Histogram() for _ in range(seconds)]
    values = [least for least, _, count in response_time.buckets() for _ in range(count)]
    for index, value in enumerate(values):
        dealt[index % seconds].record(value)
    return tuple(
        Window(second=second, response_time=times) for second, times in enumerate(dealt) if times
    )


def _in_windows(measurement: OperationMeasurement) -> int:
    return sum(window.response_time.count + window.errors for window in measurement.windows)


def tried(durations: list[int | None] | list[int], *, void: str | None = None) -> Results:
    """A trial of one operation, held against a p95 below 200 ms."""
    share = TrialShare(durations=Durations(tuple(durations)), spent_s=2.0)
    return Results(
        started_at=1.0,
        duration_s=2.0,
        version="0.1.0",
        command="withstand check",
        base_url=BASE_URL,
        objectives=(P95_BELOW_200_MS,),
        trials=TrialRecord(operations={"GET /users": (share,)}, budget_s=30.0, void=void),
    )
