"""Objectives as people write them, and what a measurement says of them."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.recorder import OperationRecorder
from withstand.sharding import Shard
from withstand.slo import (
    Indicator,
    Objective,
    Unit,
    Verdict,
    VerdictState,
    judge,
    parse_named_objective,
    parse_objective,
)
from withstand.stats.histogram import Histogram

MS = 1_000_000
S = 1_000_000_000

FORMS = {
    "p95<200ms": (Indicator.QUANTILE, 0.95, 200 * MS, "p95<200ms"),
    "p99.9 <= 1s": (Indicator.QUANTILE, 0.999, 1000 * MS, "p99.9<1s"),
    "p(95)<200": (Indicator.QUANTILE, 0.95, 200 * MS, "p95<200ms"),
    "p( 99.99 ) < 1.5s": (Indicator.QUANTILE, 0.9999, 1500 * MS, "p99.99<1.5s"),
    "P50=80ms": (Indicator.QUANTILE, 0.5, 80 * MS, "p50<80ms"),
    "med<5": (Indicator.QUANTILE, 0.5, 5 * MS, "p50<5ms"),
    "p100<1m": (Indicator.MAXIMUM, None, 60_000 * MS, "max<60s"),
    "avg<1234ms": (Indicator.AVERAGE, None, 1234 * MS, "avg<1.234s"),
    " max <= 2 s ": (Indicator.MAXIMUM, None, 2000 * MS, "max<2s"),
    "errors<0.1%": (Indicator.ERRORS, None, 0.001, "errors<0.1%"),
    "rate<0.01": (Indicator.ERRORS, None, 0.01, "errors<1%"),
    "error_rate <= 5 %": (Indicator.ERRORS, None, 0.05, "errors<5%"),
    "errors=0": (Indicator.ERRORS, None, 0.0, "errors=0%"),
    "rps>500": (Indicator.RATE, None, 500.0, "rps>500"),
    "rps >= 30/m": (Indicator.RATE, None, 0.5, "rps>0.5"),
    "memory_growth<32MB": (Indicator.MEMORY_GROWTH, None, 32_000_000, "memory_growth<32MB"),
    "p99<300ms over 10s": (Indicator.QUANTILE, 0.99, 300 * MS, "p99<300ms over 10s"),
    "p(99) < 300  over  1m": (Indicator.QUANTILE, 0.99, 300 * MS, "p99<300ms over 60s"),
    "errors<1% Over 30": (Indicator.ERRORS, None, 0.01, "errors<1% over 30s"),
    "rps>100/s over 10s": (Indicator.RATE, None, 100.0, "rps>100 over 10s"),
}


@pytest.mark.parametrize(("text", "meant"), FORMS.items(), ids=FORMS)
def test_what_people_write_is_read_and_written_back(
    text: str, meant: tuple[Indicator, float | None, float, str]
) -> None:
    objective = parse_objective(text, operation="GET /users")
    indicator, quantile, limit, canonical = meant
    assert (objective.indicator, objective.quantile) == (indicator, quantile)
    assert objective.limit == pytest.approx(limit)
    assert objective.text == canonical
    assert parse_objective(canonical, operation="GET /users") == objective


@pytest.mark.parametrize("operation", ["*", "GET /users/{id}", "GET /a: b"])
def test_an_objective_may_name_its_operation(operation: str) -> None:
    meant = parse_objective("p95<200ms", operation=operation)
    assert parse_named_objective(f"{operation}: p95<200ms") == meant


def test_an_objective_that_names_no_operation_is_on_all_of_them() -> None:
    assert parse_named_objective("errors<1%") == parse_objective("errors<1%", operation="*")


@given(
    st.sampled_from(["p95", "p99.9", "avg", "max", "errors", "memory_growth", "rps"]),
    st.integers(1, 10**12),
)
def test_the_canonical_text_of_any_limit_reads_back_equal(name: str, number: int) -> None:
    sign, limit = ("<", number)
    text = f"{name}{sign}{limit}ns"
    if name == "errors":
        text = f"errors<{number / 10**13}"
    elif name == "memory_growth":
        text = f"memory_growth<{number}"
    elif name == "rps":
        text = f"rps>{number}"
    objective = parse_objective(text)
    again = parse_objective(objective.text)
    assert again.limit == pytest.approx(objective.limit, rel=1e-9)
    assert replace(again, limit=objective.limit) == objective


# Each with the character that the caret must point at.
UNREADABLE = {
    "": "",
    "95<200ms": "95<200ms",
    "foo<1": "foo<1",
    "p120<1s": "120<1s",
    "p0<1s": "0<1s",
    "p(9x)<1": "p(9x)<1",
    "p95": "",
    "p95 200ms": "200ms",
    "p95>200ms": ">200ms",
    "p95<": "",
    "p95<200parsecs": "200parsecs",
    "p95 < -5": "-5",
    "p95<200ms<3": "200ms<3",
    "p95<0": "<0",
    "errors<5": "5",
    "errors<101%": "101%",
    "errors<nan": "nan",
    "errors<0": "<0",
    "rps<5": "<5",
    "rps>0": "0",
    "memory_growth<lots": "lots",
    "p95<200ms over": "",
    "p95<200ms over soon": "soon",
    "p95<200ms over 1.5s": "1.5s",
    "p95<200ms over 0s": "0s",
    "p95<200ms overall": "200ms overall",
    "p95<20parsecs over 10s": "20parsecs over 10s",
    "memory_growth<1MB over 10s": "over 10s",
}


@pytest.mark.parametrize(("text", "rest"), UNREADABLE.items(), ids=UNREADABLE)
def test_what_cannot_be_read_is_pointed_at_and_the_forms_are_listed(text: str, rest: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_objective(text)
    problem, shown, caret = str(caught.value).splitlines()[:3]
    assert shown.removeprefix("    ") == text
    assert text[caret.index("^") - 4 :] == rest
    assert f"character {caret.index('^') - 3} " in problem
    assert "p95<200ms" in str(caught.value).splitlines()[3]


@given(st.text(max_size=12))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_objective(text)


# Measurements from a stated rule: what request number i of a second took, and whether it failed.

Rule = Callable[[int, int], tuple[float, int | None]]  # second, i → milliseconds, status


def measured(
    rule: Rule, *, seconds: int = 20, per_s: int = 100, operation: str = "GET /users"
) -> OperationMeasurement:
    recorder = OperationRecorder(operation)
    for second in range(seconds):
        for i in range(per_s):
            took_ms, status = rule(second, i)
            start = second * S + i * (S // per_s)
            end = start + int(took_ms * MS)
            if status is None:
                recorder.failure(start, end, "timed-out")
            else:
                recorder.response(start, start, end, end, status)
    return recorder.measurement()


def run_of(
    *operations: OperationMeasurement,
    saturated: str | None = None,
    lagging: str | None = None,
    loop_lag: Histogram | None = None,
    memory: Sequence[float] = (),
    duration_s: float = 20.0,
    offered: int | None = None,
) -> LoadMeasurement:
    total = sum(operation.requests for operation in operations)
    return LoadMeasurement(
        model="open",
        profile="as the rule says",
        started_at=0.0,
        duration_s=duration_s,
        offered=total if offered is None else offered,
        sent=total,
        late=0,
        unanswered=0,
        operations={operation.operation: operation for operation in operations},
        generator=GeneratorHealth(
            cpu_share=0.1,
            send_lag=Histogram(),
            loop_lag=loop_lag or Histogram(),
            saturated=saturated,
            lagging=lagging,
        ),
        server_samples=tuple(
            ServerSample(at_s=float(second), rss_bytes=int(megabytes * 1e6))
            for second, megabytes in enumerate(memory)
        ),
    )


def verdict(text: str, run: LoadMeasurement) -> Verdict:
    (only,) = judge([parse_objective(text)], run)
    return only


def steady(took_ms: float, *, slow: int = 0, slow_ms: float = 500, status: int = 200) -> Rule:
    """Of every 100 requests, the first `slow` take longer."""
    return lambda _, i: (slow_ms if i < slow else took_ms, status)


@pytest.mark.parametrize(
    ("slow", "state"),
    [
        (0, VerdictState.MET),
        (1, VerdictState.MET),
        (5, VerdictState.INCONCLUSIVE),
        (12, VerdictState.BREACHED),
        (100, VerdictState.BREACHED),
    ],
)
def test_a_latency_objective_is_decided_only_when_the_share_is_off_the_limit(
    slow: int, state: VerdictState
) -> None:
    judged = verdict("p95<200ms", run_of(measured(steady(50, slow=slow))))
    assert judged.state is state
    assert judged.samples == 2000
    assert judged.operation == "GET /users"
    assert f"{slow} %" in judged.reason
    assert "2,000 requests" in judged.reason


def test_the_observed_quantile_lies_within_its_interval() -> None:
    draw = random.Random(1)
    spread = measured(lambda *_: (draw.lognormvariate(4, 0.5), 200))
    judged = verdict("p90<500ms", run_of(spread))
    assert judged.interval is not None
    low, high = judged.interval
    assert low is not None
    assert high is not None
    assert judged.observed is not None
    assert low < judged.observed < high
    assert judged.observed == spread.response_time.quantile(0.9)
    assert judged.unit is Unit.NANOSECONDS


def test_an_inconclusive_verdict_says_how_many_more_requests_would_decide() -> None:
    few = run_of(measured(steady(50), seconds=5, per_s=40))
    judged = verdict("p95<200ms", few)
    assert judged.state is VerdictState.INCONCLUSIVE
    assert "about 250 more requests" in judged.reason
    more = run_of(measured(steady(50), seconds=5, per_s=90))
    assert verdict("p95<200ms", more).state is VerdictState.MET


def test_one_window_decides_nothing() -> None:
    judged = verdict("p95<200ms", run_of(measured(steady(50), seconds=1, per_s=5000)))
    assert judged.state is VerdictState.INCONCLUSIVE
    assert "run for longer" in judged.reason


@pytest.mark.parametrize("objective", ["errors<1%", "errors<10%", "p95<200ms", "p50<200ms"])
@pytest.mark.parametrize(("seconds", "alive"), [(4, 1), (4, 0), (1, 0), (20, 9)])
def test_a_server_that_dies_and_stays_dead_breaches(
    objective: str, seconds: int, alive: int
) -> None:
    dying = measured(lambda second, _: (1, 200 if second < alive else None), seconds=seconds)
    assert verdict(objective, run_of(dying)).state is VerdictState.BREACHED


def test_a_few_failures_at_the_end_are_no_outage() -> None:
    hiccup = measured(lambda second, _: (1, 200 if second < 59 else 500), seconds=60, per_s=1)
    assert verdict("errors<1%", run_of(hiccup)).state is VerdictState.INCONCLUSIVE


def test_an_outage_that_ended_is_one_event_unless_it_took_most_of_the_run() -> None:
    def out_until(end: int) -> LoadMeasurement:
        return run_of(measured(lambda second, _: (1, 500 if second < end else 200)))

    assert verdict("errors<1%", out_until(1)).state is VerdictState.INCONCLUSIVE
    assert verdict("errors<1%", out_until(12)).state is VerdictState.BREACHED


def test_the_same_share_in_bursts_is_less_sure_than_evenly_spread() -> None:
    even = run_of(measured(steady(50, slow=3)))
    stalled = run_of(measured(lambda second, i: (500 if second == 7 and i < 60 else 50, 200)))
    assert verdict("p95<200ms", even).state is VerdictState.MET
    assert verdict("p95<200ms", stalled).state is VerdictState.INCONCLUSIVE


@pytest.mark.parametrize("status", [500, None], ids=["fast 500s", "fast failures"])
def test_fast_errors_count_as_slower_than_any_limit(status: int | None) -> None:
    judged = verdict("p95<200ms", run_of(measured(lambda _, i: (1, status if i < 20 else 200))))
    assert judged.state is VerdictState.BREACHED
    assert judged.observed is None  # the 95th percentile is an error
    assert judged.interval == (None, None)


def test_slow_errors_are_not_counted_twice() -> None:
    timeouts = run_of(measured(lambda _, i: (500, None) if i < 3 else (50, 200)))
    assert verdict("p95<200ms", timeouts).state is VerdictState.MET
    assert "3 % of" in verdict("p95<200ms", timeouts).reason


def test_errors_are_judged_by_their_share() -> None:
    def failing(per_cent: int) -> LoadMeasurement:
        return run_of(measured(lambda _, i: (1, 500 if i < per_cent else 200)))

    assert verdict("errors<5%", failing(1)).state is VerdictState.MET
    assert verdict("errors<5%", failing(10)).state is VerdictState.BREACHED
    assert verdict("errors<5%", failing(10)).observed == 0.1
    assert verdict("errors<0.01%", failing(0)).state is VerdictState.INCONCLUSIVE
    assert verdict("errors=0", failing(0)).state is VerdictState.MET
    assert verdict("errors=0", failing(1)).state is VerdictState.BREACHED


def test_the_average_is_judged_with_its_spread_and_failures_do_not_flatter_it() -> None:
    draw = random.Random(2)
    spread = run_of(measured(lambda *_: (draw.gauss(100, 20), 200)))
    assert verdict("avg<110ms", spread).state is VerdictState.MET
    assert verdict("avg<90ms", spread).state is VerdictState.BREACHED
    assert verdict("avg<100ms", spread).state is VerdictState.INCONCLUSIVE
    refused = run_of(measured(lambda _, i: (0.1, None) if i < 50 else (105, 200)))
    observed = verdict("avg<100ms", refused).observed
    assert observed == pytest.approx(102.5 * MS, rel=0.001)


def test_the_maximum_is_that_of_the_run() -> None:
    run = run_of(measured(steady(50, slow=1, slow_ms=300)))
    assert verdict("max<301ms", run).state is VerdictState.MET
    assert verdict("max<299ms", run).state is VerdictState.BREACHED
    assert verdict("max<299ms", run).observed == 300 * MS


def test_the_rate_is_that_of_the_whole_run_unless_an_operation_is_named() -> None:
    run = run_of(measured(steady(1)), measured(steady(1), operation="POST /users"))
    (whole,) = judge([parse_objective("rps>200")], run)
    assert (whole.operation, whole.state, whole.observed) == ("*", VerdictState.MET, 200)
    (single,) = judge([parse_objective("rps>200", operation="POST /users")], run)
    assert (single.operation, single.observed) == ("POST /users", 100)


def test_errors_do_not_count_towards_the_rate() -> None:
    run = run_of(measured(lambda _, i: (1, 503 if i < 50 else 200)))
    judged = verdict("rps>80", run)
    assert (judged.state, judged.observed) == (VerdictState.BREACHED, 50)


def test_a_rate_that_was_never_offered_is_not_held_against_the_api() -> None:
    judged = verdict("rps>150", run_of(measured(steady(1))))
    assert judged.state is VerdictState.INCONCLUSIVE
    assert "offer" in judged.reason


def test_an_objective_without_samples_is_never_met() -> None:
    idle = measured(steady(1), seconds=0)
    for run in (run_of(), run_of(idle)):
        for text in ("p95<1s", "errors<1%", "avg<1s", "max<1s", "rps>1", "errors=0"):
            (judged,) = judge([parse_objective(text)], run)
            assert judged.state is VerdictState.INCONCLUSIVE
            assert "came to an end" in judged.reason
    (unknown,) = judge([parse_objective("p95<1s", operation="GET /x")], run_of(idle))
    assert unknown.reason == "no request of GET /x came to an end"


def test_every_operation_has_its_own_verdict_and_the_closest_pattern_wins_per_indicator() -> None:
    run = run_of(
        measured(steady(50), operation="GET /users"),
        measured(steady(50), operation="GET /orders/{id}"),
        measured(steady(50), operation="POST /users"),
    )
    objectives = [
        parse_objective("p95<1s"),
        parse_objective("p99<2s"),
        parse_objective("p95<300ms", operation="GET *"),
        parse_objective("p95<200ms", operation="GET /users"),
        parse_objective("errors<5%", operation="/users"),
    ]
    texts: dict[str, list[str]] = {}
    for each in judge(objectives, run):
        texts.setdefault(each.operation, []).append(each.objective.text)
    assert texts == {
        "GET /users": ["p99<2s", "p95<200ms", "errors<5%"],
        "GET /orders/{id}": ["p99<2s", "p95<300ms"],
        "POST /users": ["p95<1s", "p99<2s", "errors<5%"],
    }


def test_the_latencies_of_a_saturated_generator_decide_nothing() -> None:
    run = run_of(measured(steady(50, slow=50)), saturated="the generator was busy")
    for text in ("p95<200ms", "avg<1ms", "max<1ms", "p50<1s"):
        judged = verdict(text, run)
        assert (judged.state, judged.reason) == (
            VerdictState.INCONCLUSIVE,
            "the generator was busy",
        )
    assert verdict("errors<5%", run).state is VerdictState.MET
    assert verdict("rps>50", run).state is VerdictState.MET
    assert verdict("rps>500", run).reason == "the generator was busy"


def test_what_got_less_load_than_was_asked_for_proves_only_what_less_load_can_prove() -> None:
    run = run_of(measured(steady(50, slow=50)))
    lost = replace(run, generator=replace(run.generator, lost="a process died"))
    for text in ("p50<1s", "avg<9s", "max<9s", "errors<5%", "rps>500"):
        judged = verdict(text, lost)
        assert (judged.state, judged.reason) == (VerdictState.INCONCLUSIVE, "a process died")
    for text in ("p95<1ms", "avg<1ms", "max<1ms"):
        assert verdict(text, lost).state is VerdictState.BREACHED
    assert verdict("rps>50", lost).state is VerdictState.MET


def test_a_shard_alone_shows_latencies_but_no_rate_that_all_of_them_promise() -> None:
    run = run_of(measured(steady(50)))
    alone = replace(run, shards=(Shard(number=2, total=4),))
    assert verdict("p95<200ms", alone).state is VerdictState.MET
    assert verdict("rps>50", alone).state is VerdictState.MET
    for offered in (10, 1_000_000):
        judged = verdict("rps>5000", replace(alone, offered=offered))
        assert judged.state is VerdictState.INCONCLUSIVE
        assert judged.reason == "shard 2/4 alone cannot show a rate; merge it with the others"
    two = replace(alone, shards=(Shard(number=2, total=4), Shard(number=3, total=4)))
    assert verdict("p95<200ms", two).state is VerdictState.INCONCLUSIVE


def test_what_a_late_generator_makes_look_breached_is_undecided_unless_service_times_prove_it() -> (
    None
):
    slow = measured(steady(50, slow=50))
    served_fast = replace(slow, service_time=Histogram([1_000_000] * slow.service_time.count))
    late = "the generator was late"

    for text in ("p95<200ms", "avg<1ms", "max<1ms"):
        judged = verdict(text, run_of(served_fast, lagging=late))
        assert (judged.state, judged.reason) == (VerdictState.INCONCLUSIVE, late)
    assert verdict("p95<200ms", run_of(slow, lagging=late)).state is VerdictState.BREACHED
    assert verdict("p95<1s", run_of(slow, lagging=late)).state is VerdictState.MET
    # Half of the service times may have been read late: then they prove nothing of this either.
    held_up = Histogram([0, 50_000_000])
    some_slow = measured(steady(50, slow=30, slow_ms=500))
    assert verdict("p95<200ms", run_of(some_slow, lagging=late)).state is VerdictState.BREACHED
    doubted = verdict("p95<200ms", run_of(some_slow, lagging=late, loop_lag=held_up))
    assert (doubted.state, doubted.reason) == (VerdictState.INCONCLUSIVE, late)


def test_requests_that_failed_prove_a_breach_however_late_the_generator_was() -> None:
    refused = measured(lambda second, _: (1, 200 if second < 3 else None))
    judged = verdict("p95<200ms", run_of(refused, lagging="the generator was late"))
    assert judged.state is VerdictState.BREACHED


def test_memory_growth_is_that_of_the_low_water_mark_after_the_warm_up() -> None:
    warm_up = [10.0 * i for i in range(10)]
    sawtooth = [100 + (i % 4) * 20 for i in range(20)]
    leak = [100 + (i % 4) * 20 + 3 * i for i in range(20)]
    stable = run_of(measured(steady(1)), memory=[*warm_up, *sawtooth], duration_s=30)
    leaking = run_of(measured(steady(1)), memory=[*warm_up, *leak], duration_s=30)
    assert verdict("memory_growth<32MB", stable).state is VerdictState.MET
    assert verdict("memory_growth<32MB", stable).observed == 0
    judged = verdict("memory_growth<32MB", leaking)
    assert (judged.state, judged.observed) == (VerdictState.BREACHED, 48_000_000)
    assert judged.unit is Unit.BYTES


def test_memory_growth_without_enough_samples_is_inconclusive() -> None:
    assert "--pid" in verdict("memory_growth<1MB", run_of(measured(steady(1)))).reason
    short = run_of(measured(steady(1)), memory=[1.0] * 5, duration_s=5)
    assert verdict("memory_growth<1MB", short).state is VerdictState.INCONCLUSIVE


def test_a_service_well_within_its_objective_does_not_flake() -> None:
    draw = random.Random(5)
    states = [
        verdict(
            "p95<200ms",
            run_of(measured(lambda *_: (500 if draw.random() < 0.025 else 50, 200), per_s=50)),
        ).state
        for _ in range(60)
    ]
    assert VerdictState.BREACHED not in states


def test_the_same_objective_twice_is_judged_once() -> None:
    objective = Objective(indicator=Indicator.MAXIMUM, limit=S)
    assert len(judge([objective, objective], run_of(measured(steady(1))))) == 1
