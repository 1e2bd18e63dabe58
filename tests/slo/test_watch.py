"""Objectives while a run goes on, on the snapshots that it reports."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.test_slo import MS, Rule, measured, run_of, steady
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.slo import Standing, Watch, parse_objective
from withstand.stats.histogram import Histogram


def snapshots(
    rule: Rule,
    *,
    seconds: int,
    pending: int = 0,
    per_s: int = 100,
    model: str = "open",
    operations: Sequence[str] = ("GET /users",),
) -> Iterator[LoadMeasurement]:
    """What a run reports second by second: the two newest windows that are over."""
    whole = {name: measured(rule, seconds=seconds, per_s=per_s) for name in operations}
    for second in range(1, seconds + 1):
        parts = {
            name: OperationMeasurement(
                operation=name,
                windows=tuple(w for w in each.windows if second - 2 <= w.second < second),
            )
            for name, each in whole.items()
        }
        yield replace(
            run_of(duration_s=float(second)), operations=parts, unanswered=pending, model=model
        )


def watched(
    text: str, run: Iterator[LoadMeasurement], *, warm_up_s: int = 0, delay_s: float = 0.0
) -> tuple[Watch, float | None]:
    """The watch when it gave up or the run was over, and after how many seconds it gave up."""
    watch = Watch([parse_objective(text)], warm_up_s=warm_up_s, delay_s=delay_s)
    for snapshot in run:
        for _ in watch.take(snapshot):
            pass
        if watch.abort is not None:
            return watch, snapshot.duration_s
    return watch, None


def slow_from(start: int, share: int = 100, *, slow_ms: float = 500) -> Rule:
    return lambda second, i: (slow_ms if second >= start and i < share else 50, 200)


def test_a_stretch_that_breaks_its_limit_ends_the_run_when_it_is_over() -> None:
    watch, at_s = watched("p99<200ms over 10s", snapshots(slow_from(20, 4), seconds=60))
    # Eleven slow ones are too many: those of three seconds.
    assert at_s == 23
    assert watch.abort == (
        "p99<200ms over 10s of GET /users is broken: from 13 s to 23 s 1.2 % of 1,000 requests "
        "were errors or slower than 200 ms, 1 % may"
    )


def test_a_stretch_that_is_not_over_breaks_nothing() -> None:
    assert watched("p99<200ms over 10s", snapshots(slow_from(0), seconds=60))[1] == 10


def test_requests_that_have_no_end_yet_may_all_be_good() -> None:
    def failing(second: int, i: int) -> tuple[float, int]:
        return 1, 500 if second >= 5 and i < 10 else 200

    assert watched("errors<5% over 5s", snapshots(failing, seconds=30))[1] == 8
    assert watched("errors<5% over 5s", snapshots(failing, seconds=30, pending=600))[1] is None


@pytest.mark.parametrize("text", ["max<200ms", "errors=0"])
def test_one_request_breaks_what_no_request_may(text: str) -> None:
    run = snapshots(lambda second, i: (500, 500) if (second, i) == (6, 50) else (1, 200), seconds=9)
    assert watched(text, run)[1] == 7


@pytest.mark.parametrize("text", ["p95<200ms", "errors<5%", "avg<200ms"])
def test_a_promise_on_the_whole_is_given_up_at_a_look_and_kept_where_it_is_kept(text: str) -> None:
    broken = snapshots(lambda _, i: (500, 500) if i % 3 == 0 else (150, 200), seconds=40)
    assert watched(text, broken)[1] == 30
    kept = snapshots(lambda _, i: (500, 500) if i < 2 else (50, 200), seconds=40)
    assert watched(text, kept)[1] is None


def test_a_slow_snapshot_skips_no_look() -> None:
    late = [run for run in snapshots(slow_from(0), seconds=44) if run.duration_s in {29, 33}]
    filled = [
        replace(run, operations={"GET /users": measured(slow_from(0), seconds=int(run.duration_s))})
        for run in late
    ]
    assert watched("p95<200ms", iter(filled))[1] == 33


def test_nothing_is_given_up_before_the_delay_is_over_and_nothing_is_forgotten() -> None:
    outage: Rule = lambda second, _: (500, 200) if second == 3 else (1, 200)  # noqa: E731 - as elsewhere
    assert watched("max<200ms", snapshots(outage, seconds=20))[1] == 4
    assert watched("max<200ms", snapshots(outage, seconds=20), delay_s=12)[1] == 12


def test_the_warm_up_is_not_judged() -> None:
    cold: Rule = lambda second, _: (500, 500) if second < 4 else (1, 200)  # noqa: E731 - as elsewhere
    for text in ("max<200ms", "p99<200ms over 2s", "errors=0", "rps>90 over 2s"):
        assert watched(text, snapshots(cold, seconds=12), warm_up_s=4)[1] is None
        assert watched(text, snapshots(cold, seconds=12), warm_up_s=3)[1] is not None


def test_windows_that_are_reported_again_replace_what_they_were() -> None:
    watch, _ = watched("errors<5%", snapshots(steady(1), seconds=20))
    (outlook,) = watch.outlooks
    assert "2,000 requests" in outlook.note


def test_a_rate_is_missed_by_a_stretch_of_it_and_by_all_operations_together() -> None:
    users: Rule = lambda second, i: (1, 500 if second >= 10 and i < 60 else 200)  # noqa: E731 - as elsewhere
    two = ("GET /users", "GET /orders")
    run = snapshots(users, seconds=30, operations=two)
    watch, at_s = watched("rps>150 over 5s", run)
    assert at_s == 13
    assert watch.abort is not None
    assert watch.abort.startswith("rps>150 over 5s is broken")
    assert watched("rps>300 over 5s", snapshots(users, seconds=30, operations=two))[1] is None


def test_users_who_get_no_answer_miss_a_rate_in_windows_without_a_request() -> None:
    stalled = (
        replace(
            run,
            operations={
                name: replace(each, windows=tuple(w for w in each.windows if w.second < 10))
                for name, each in run.operations.items()
            },
        )
        for run in snapshots(steady(1), seconds=30, model="closed", pending=5)
    )
    assert watched("rps>50 over 5s", stalled)[1] == 13


def test_latencies_of_a_saturated_generator_end_nothing() -> None:
    def full(text: str) -> float | None:
        runs = snapshots(lambda *_: (500, 500), seconds=20)
        sick = (replace(r, generator=replace(r.generator, saturated="full")) for r in runs)
        return watched(text, sick)[1]

    assert full("max<200ms") is None
    assert full("errors=0") == 1


def test_a_rate_that_a_lost_process_would_have_sent_ends_nothing() -> None:
    def missed(lost: str | None) -> float | None:
        runs = snapshots(lambda *_: (1, 500), seconds=9)
        less = (replace(r, generator=replace(r.generator, lost=lost)) for r in runs)
        return watched("rps>50 over 5s", less)[1]

    assert missed(None) == 5
    assert missed("one process is gone") is None


def served_in_1_ms(run: LoadMeasurement, *, send_lag_ms: int) -> LoadMeasurement:
    operations = {}
    for name, operation in run.operations.items():
        windows = tuple(replace(w, service_time=Histogram([MS])) for w in operation.windows)
        operations[name] = replace(operation, windows=windows)
    lagging = replace(run.generator, send_lag=Histogram([send_lag_ms * MS]))
    return replace(run, operations=operations, generator=lagging)


def test_the_generators_lateness_is_not_the_targets() -> None:
    def late(lag_ms: int) -> float | None:
        runs = snapshots(slow_from(0, 50), seconds=20)
        lagging = (served_in_1_ms(run, send_lag_ms=lag_ms) for run in runs)
        return watched("p95<200ms over 5s", lagging)[1]

    assert late(100) == 5
    assert late(400) is None


def test_how_objectives_stand_is_told_without_judging() -> None:
    objectives = [
        parse_objective(text)
        for text in ("p95<200ms", "p95<20ms", "p95<1s over 10s", "rps>90", "rps>110", "max<20ms")
    ]
    watch = Watch(objectives)
    assert not watch.outlooks
    for snapshot in snapshots(steady(50), seconds=5):
        for _ in watch.take(snapshot):
            pass
    standing = {each.objective.text: each.standing for each in watch.outlooks}
    assert standing == {
        "p95<200ms": Standing.MET_SO_FAR,
        "p95<20ms": Standing.NOT_MET_SO_FAR,
        "p95<1s over 10s": Standing.TOO_EARLY,
        "rps>90": Standing.MET_SO_FAR,
        "rps>110": Standing.NOT_MET_SO_FAR,
        "max<20ms": Standing.BREACHED,
    }


def test_a_stretch_that_ends_in_seconds_without_a_request_is_looked_at_too() -> None:
    def rule(second: int, i: int) -> tuple[float, int]:
        return 500 if second == 5 and i < 10 else 50, 200

    def thinned(run: LoadMeasurement) -> LoadMeasurement:
        """Nothing in the seventh second, and in the sixth only what was slow."""
        (operation,) = run.operations.values()
        slow = measured(lambda second, _: (500 if second == 5 else 50, 200), seconds=6, per_s=10)
        windows = tuple(
            next(w for w in slow.windows if w.second == 5) if window.second == 5 else window
            for window in operation.windows
            if window.second != 6
        )
        return replace(run, operations={"GET /users": replace(operation, windows=windows)})

    seen = (thinned(run) for run in snapshots(rule, seconds=8) if run.duration_s != 7)
    watch, at_s = watched("p90<200ms over 2s", seen)
    assert at_s == 8
    assert watch.abort is not None
    assert "from 5 s to 7 s 100 % of 10 requests" in watch.abort
