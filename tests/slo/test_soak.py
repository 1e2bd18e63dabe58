"""What a soak test says of runs of virtual hours."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from tests.stats.simulated_memory import HOUR_S, MINUTE_S, Server, memory
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.window import Window
from withstand.report.headline import headline
from withstand.results import Conclusion, Results
from withstand.slo import DriftVerdict, Quantity, SoakRules, judge_soak
from withstand.stats.drift import Movement
from withstand.stats.histogram import Histogram

MS = 1_000_000
WIDTH_S = 60
PER_WINDOW = 200


def window(second: int, took_ms: float, errors: int = 0) -> Window:
    took = Random(second)
    return Window(
        second=second,
        width_s=WIDTH_S,
        response_time=Histogram(
            round(took_ms * MS * math.exp(took.gauss(0, 0.3))) for _ in range(PER_WINDOW)
        ),
        statuses={200: PER_WINDOW - errors, 500: errors} if errors else {200: PER_WINDOW},
        unexpected=errors,
    )


def run_of(
    lasts_s: float = 2 * HOUR_S,
    *,
    took_ms: Callable[[float], float] = lambda _: 20.0,
    errors: Callable[[float], int] = lambda _: 0,
    samples: tuple[ServerSample, ...] = (),
) -> LoadMeasurement:
    """Errors and medians by the share of the run that is over."""
    windows = [
        window(second, took_ms(second / lasts_s), errors(second / lasts_s))
        for second in range(0, int(lasts_s), WIDTH_S)
    ]
    return LoadMeasurement(
        model="open",
        profile="as the rule says",
        started_at=0.0,
        duration_s=lasts_s,
        offered=PER_WINDOW * len(windows),
        sent=PER_WINDOW * len(windows),
        late=0,
        unanswered=0,
        operations={"GET /": OperationMeasurement.of("GET /", windows)},
        generator=GeneratorHealth(cpu_share=0.1, send_lag=Histogram()),
        server_samples=samples,
    )


def remembered(
    server: Server, lasts_s: float = 2 * HOUR_S, seed: int = 1
) -> tuple[ServerSample, ...]:
    times, levels = memory(server, lasts_s, Random(seed))
    return tuple(
        ServerSample(at_s=at_s, rss_bytes=int(level * 1e6))
        for at_s, level in zip(times, levels, strict=True)
    )


def counted(
    descriptors: Callable[[float], int], lasts_s: float = 2 * HOUR_S
) -> tuple[ServerSample, ...]:
    return tuple(
        ServerSample(at_s=share * lasts_s / 500, descriptors=descriptors(share / 500))
        for share in range(500)
    )


def said(quantity: Quantity, run: LoadMeasurement) -> DriftVerdict:
    (only,) = (each for each in judge_soak(SoakRules(), run) if each.quantity is quantity)
    return only


def results_of(run: LoadMeasurement) -> Results:
    return Results(
        started_at=0.0,
        duration_s=run.duration_s,
        version="1",
        command="",
        base_url="http://127.0.0.1",
        load=run,
        soak=SoakRules(),
    )


def test_a_leak_of_twice_the_tolerance_is_called_with_its_size_per_request() -> None:
    found = said(Quantity.MEMORY, run_of(samples=remembered(Server(leaked=22))))

    assert found.movement is Movement.GROWS
    # 22 MB in two hours, over 24,000 requests.
    assert "11." in found.reason.split(" an hour")[0].rpartition("; ")[2]
    assert "kB per 1,000 requests" in found.reason
    assert "is tolerated" in found.reason


@pytest.mark.parametrize("seed", range(5))
def test_a_warming_sawtooth_is_not(seed: int) -> None:
    warming = Server(tau_s=10 * MINUTE_S, sawtooth=40)

    found = said(Quantity.MEMORY, run_of(samples=remembered(warming, seed=seed)))

    assert found.movement is Movement.STEADY


def test_a_server_that_is_still_warming_up_is_given_the_time() -> None:
    warming = Server(tau_s=40 * MINUTE_S, warm=150, sawtooth=2, noise=0.5)

    found = said(Quantity.MEMORY, run_of(samples=remembered(warming)))

    assert found.movement is Movement.UNDECIDED
    assert "still warms up" in found.reason
    assert "extend the run to at least" in found.reason
    assert " h to tell" in found.reason


def test_a_run_without_a_probe_says_how_to_give_one() -> None:
    found = said(Quantity.MEMORY, run_of())

    assert found.movement is Movement.UNDECIDED
    assert "--pid" in found.reason
    assert {each.quantity for each in judge_soak(SoakRules(), run_of())} == {
        Quantity.MEMORY,
        Quantity.P50,
        Quantity.P95,
        Quantity.ERRORS,
    }


def test_a_server_that_crashes_of_its_leak_again_and_again_is_not_called_steady() -> None:
    lasts_s, lives = 2 * HOUR_S, 40
    crashing = tuple(
        ServerSample(
            at_s=index * lasts_s / 960,
            rss_bytes=int(1e8 * (1 + index % (960 // lives) / (960 // lives))),
            started_at=float(index // (960 // lives) * 180),
        )
        for index in range(960)
    )
    silent = tuple(replace(each, started_at=None) for each in crashing)

    found = said(Quantity.MEMORY, run_of(samples=crashing))

    assert found.movement is Movement.UNDECIDED
    assert "started again 39 times" in found.reason
    assert said(Quantity.MEMORY, run_of(samples=silent)).movement is Movement.STEADY


def test_descriptors_that_leak_are_called_and_those_of_a_pool_are_not() -> None:
    leaking = run_of(samples=counted(lambda share: 20 + int(share * 60)))
    pool = run_of(samples=counted(lambda share: 20 + min(int(share * 80), 30)))

    assert said(Quantity.DESCRIPTORS, leaking).movement is Movement.GROWS
    assert said(Quantity.DESCRIPTORS, pool).movement is not Movement.GROWS


def test_latency_that_grows_after_the_warm_up_is_called() -> None:
    slower = run_of(took_ms=lambda share: 20 * (1 + 0.6 * share))

    for quantity in (Quantity.P50, Quantity.P95):
        assert said(quantity, slower).movement is Movement.GROWS
        assert said(quantity, run_of()).movement is Movement.STEADY


def test_latency_that_the_generator_itself_makes_grow_is_not() -> None:
    slower = run_of(took_ms=lambda share: 20 * (1 + 0.6 * share))
    lagging = replace(slower, generator=replace(slower.generator, lagging="it was late"))

    found = said(Quantity.P95, lagging)

    assert found.movement is Movement.UNDECIDED
    assert "it was late" in found.reason


def test_latency_that_was_higher_during_the_warm_up_is_steady() -> None:
    warmed = run_of(took_ms=lambda share: 80 if share < 0.2 else 20)

    assert said(Quantity.P50, warmed).movement is Movement.STEADY


def test_errors_that_begin_during_the_run_are_called() -> None:
    failing = run_of(errors=lambda share: 6 if share > 0.7 else 0)

    found = said(Quantity.ERRORS, failing)

    assert found.movement is Movement.GROWS
    assert "percentage points" in found.reason
    assert said(Quantity.ERRORS, run_of()).movement is Movement.STEADY


def test_a_run_too_short_for_windows_is_undecided_all_over() -> None:
    short = run_of(5 * MINUTE_S, samples=remembered(Server(), 20))

    found = judge_soak(SoakRules(), short)

    assert {each.movement for each in found} == {Movement.UNDECIDED}
    assert all("few to judge" in each.reason for each in found)


def test_drift_fails_the_run_and_doubt_leaves_it_undecided() -> None:
    steady = remembered(Server(warm=0))
    leaking = results_of(run_of(samples=remembered(Server(leaked=40))))
    held = results_of(run_of(samples=steady))
    open_ = results_of(run_of())

    assert (leaking.conclusion(), leaking.exit_code()) == (Conclusion.FAILED, 1)
    assert headline(leaking) == "Memory drifted."
    assert held.conclusion() is Conclusion.HELD
    assert headline(held) == "Nothing drifted."
    assert open_.conclusion() is Conclusion.UNDECIDED
    assert "drift of memory is undecided" in headline(open_)
    assert replace(open_, strict=True).exit_code() == 3


def test_a_load_that_is_no_soak_test_has_no_drift() -> None:
    plain = replace(results_of(run_of(samples=remembered(Server(leaked=40)))), soak=None)

    assert plain.drifts() == ()
    assert plain.conclusion() is Conclusion.MEASURED
