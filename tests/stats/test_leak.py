"""Leaks are found and warm-ups left alone, in simulations with fixed seeds.

The acceptance figures are over 400 runs; the full set is benchmarks/statistics/trend.py.
"""

from collections import Counter
from random import Random

import pytest

from tests.stats.simulated_memory import (
    HOUR_S,
    MINUTE_S,
    RULE,
    TOLERANCE_MB,
    Server,
    memory,
    movements,
)
from withstand.stats.drift import Movement
from withstand.stats.leak import Doubt, LeakRule, leak

RUNS = 100


def _counted(server: Server, lasts_s: float, seed: int = 1) -> Counter[Movement]:
    return Counter(movements(server, lasts_s, runs=RUNS, seed=seed))


@pytest.mark.parametrize("hours", [1, 8])
def test_a_flat_server_and_one_that_has_warmed_up_are_steady(hours: int) -> None:
    lasts_s = hours * HOUR_S
    for server in (Server(warm=0), Server(tau_s=lasts_s / 12)):
        found = _counted(server, lasts_s)
        assert found[Movement.GROWS] <= 2
        assert found[Movement.STEADY] >= 0.9 * RUNS


def test_a_collector_that_comes_at_odd_times_is_no_growth() -> None:
    # The windows' means would leave 7 of these undecided: their least is what stays.
    odd = Server(collector_s=(30, 120), sawtooth=50)

    assert _counted(odd, HOUR_S)[Movement.STEADY] >= 97


def test_a_leak_of_the_tolerance_is_seldom_called_and_one_of_half_of_it_hardly_ever() -> None:
    assert _counted(Server(leaked=TOLERANCE_MB), HOUR_S)[Movement.GROWS] <= 4
    assert _counted(Server(leaked=TOLERANCE_MB / 2), HOUR_S)[Movement.GROWS] <= 1


def test_growth_that_slows_down_is_no_leak() -> None:
    for creep in (4.0, 7.0):
        assert _counted(Server(creep=creep), HOUR_S)[Movement.GROWS] <= 3
    assert _counted(Server(records=3), HOUR_S)[Movement.GROWS] <= 5


@pytest.mark.parametrize(("tolerances", "found"), [(2, 0.75), (3, 0.87), (5, 0.97)])
def test_leaks_are_found(tolerances: int, found: float) -> None:
    leaking = Server(leaked=tolerances * TOLERANCE_MB)

    assert _counted(leaking, 40 * MINUTE_S)[Movement.GROWS] >= found * RUNS - 3


@pytest.mark.parametrize("share", [15, 5, 2.5])
def test_a_short_run_does_not_take_a_warm_up_for_a_leak(share: float) -> None:
    lasts_s = 10 * MINUTE_S

    assert _counted(Server(tau_s=lasts_s / share), lasts_s)[Movement.GROWS] <= 2


def _line(slope_per_s: float, lasts_s: float) -> tuple[list[float], list[float]]:
    times = [float(second) for second in range(0, int(lasts_s), 5)]
    return times, [100 + slope_per_s * time for time in times]


def test_a_straight_line_is_measured_to_the_last_digit() -> None:
    times, levels = _line(0.01, HOUR_S)

    found = leak(times, levels, RULE)

    assert found is not None
    assert found.movement is Movement.GROWS
    assert found.growth == pytest.approx(0.01 * (HOUR_S - 5))
    assert found.low == pytest.approx(found.growth)
    # A window's minimum is its first sample and stands at its middle: half a window early.
    assert found.start_level == pytest.approx(100, abs=0.01 * HOUR_S / 24 / 2)
    assert len(found.minima) == 24


def test_a_short_run_says_how_long_one_would_have_to_be() -> None:
    times, levels = _line(20 / 600, 600)  # 20 MB: between one and three tolerances

    found = leak(times, levels, RULE)

    assert found is not None
    assert (found.movement, found.doubt) == (Movement.UNDECIDED, Doubt.SHORT_RUN)
    assert found.extend_to_s == 30 * MINUTE_S


def test_a_server_that_still_warms_up_is_given_the_time_for_it() -> None:
    tau_s = 600.0
    times, levels = memory(
        Server(tau_s=tau_s, warm=200, noise=0.2, sawtooth=1), 40 * MINUTE_S, Random(5)
    )

    found = leak(times, levels, RULE)

    assert found is not None
    assert (found.movement, found.doubt) == (Movement.UNDECIDED, Doubt.WARMING)
    assert found.warming_tau_s == pytest.approx(tau_s, rel=0.15)
    assert found.extend_to_s is not None
    assert found.extend_to_s >= 12 * 0.85 * tau_s


def test_a_leak_too_noisy_to_call_says_how_long_would_tell() -> None:
    times, levels = memory(Server(leaked=13, noise=4), HOUR_S, Random(2))

    found = leak(times, levels, RULE)

    assert found is not None
    assert (found.movement, found.doubt) == (Movement.UNDECIDED, Doubt.UNSURE)
    assert found.extend_to_s is not None
    assert HOUR_S < found.extend_to_s <= 10 * HOUR_S


def test_memory_that_falls_is_steady() -> None:
    times, levels = _line(-0.01, HOUR_S)

    found = leak(times, levels, RULE)

    assert found is not None
    assert found.movement is Movement.STEADY


def test_constant_memory_is_steady_and_too_few_samples_say_nothing() -> None:
    times, levels = _line(0.0, HOUR_S)

    found = leak(times, levels, RULE)

    assert found is not None
    assert found.movement is Movement.STEADY
    assert (found.low, found.high) == (0.0, 0.0)
    assert leak(times[:40], levels[:40], RULE) is None
    assert leak([], [], RULE) is None


def test_time_can_be_told_in_another_scale_and_the_verdict_stays() -> None:
    for seed in range(10):
        times, levels = memory(Server(leaked=2 * TOLERANCE_MB), HOUR_S, Random(seed))
        compressed = LeakRule(tolerance=RULE.tolerance, window_s=RULE.window_s / 200)

        slow = leak(times, levels, RULE)
        fast = leak([time / 200 for time in times], levels, compressed)

        assert slow is not None
        assert fast is not None
        assert fast.movement is slow.movement
        assert fast.growth == pytest.approx(slow.growth)
