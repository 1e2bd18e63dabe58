"""The engine against queueing theory, in virtual time.

The figures that the engine reports must be those that a formula gives for the same server. Formulas
and their names are those of Kleinrock, Queueing Systems, volume 1 (1975), chapters 3 and 5, and for
the closed model of Lazowska et al., Quantitative System Performance (1984), chapters 3 and 5.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterable

import pytest

from tests.load.virtual_time import (
    NS_PER_S,
    TARGET,
    Station,
    VirtualLoop,
    in_virtual_time,
    scenario,
)
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import ArrivalSchedule, Closed, ConstantRate, Profile
from withstand.load.profile.rhythm import Pacing, ThinkTime
from withstand.load.profile.stages import Stage, StagedRate
from withstand.load.progress import Observer, Progress
from withstand.load.window import Counts
from withstand.stats.histogram import Histogram

MS = 1_000_000


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., LoadMeasurement]:
    def measure(
        station: Station,
        profile: Profile,
        *,
        connections: int | None = None,
        observer: Observer | None = None,
    ) -> LoadMeasurement:
        return in_virtual_time(
            monkeypatch,
            station,
            lambda: run_load(
                *(TARGET, scenario(), profile),
                connections=connections,
                observer=observer,
                timeout_s=1000,
            ),
        )

    return measure


Measure = Callable[..., LoadMeasurement]


def one(measurement: LoadMeasurement) -> Counts:
    (operation,) = measurement.operations.values()
    return operation


def exponential(mean_ns: float, seed: int) -> Callable[[], int]:
    draw = random.Random(seed)
    return lambda: int(draw.expovariate(1 / mean_ns))


def poisson(rate_per_s: float, arrivals: int, seed: int = 1) -> ConstantRate:
    duration_s = arrivals / rate_per_s
    return ConstantRate(rate_per_s=rate_per_s, duration_s=duration_s, arrivals="poisson", seed=seed)


def lindley(profile: ArrivalSchedule, service_ns: Callable[[], int]) -> Histogram:
    """Every response time of a single server, by the recursion for its waits (Lindley, 1952)."""

    def times() -> Iterable[int]:
        free_ns = 0
        for at_ns in profile.offsets_ns():
            free_ns = max(free_ns, at_ns) + service_ns()
            yield free_ns - at_ns

    return Histogram(times())


def longer(times: Histogram, limit_ns: float) -> float:
    return times.count_above(limit_ns) / times.count


@pytest.mark.parametrize("connections", [1, 50])
def test_each_response_time_is_that_of_lindleys_recursion_wherever_the_queue_is(
    measured: Measure, connections: int
) -> None:
    profile = poisson(140, 3_000)
    run = measured(Station(exponential(5 * MS, 1)), profile, connections=connections)
    assert one(run).response_time == lindley(profile, exponential(5 * MS, 1))
    assert run.offered == run.sent == one(run).response_time.count
    if connections == 1:  # all of the wait is in the generator, and is counted all the same
        assert one(run).service_time == Histogram(
            service() for service in [exponential(5 * MS, 1)] for _ in range(run.sent)
        )
        assert run.late > run.sent / 2


@pytest.mark.parametrize("rho", [0.5, 0.7])
def test_m_d_1_waits_as_pollaczek_and_khinchine_say(measured: Measure, rho: float) -> None:
    service_ns = 2 * MS
    rate_per_s = rho / service_ns * NS_PER_S
    run = measured(Station(lambda: service_ns), poisson(rate_per_s, 20_000), connections=1)
    times = one(run).response_time
    wait_ns = (times.mean or 0) - service_ns
    # Over 30 seeds the mean wait of so many has a standard deviation of 2.7 % at half the
    # capacity and of 4 % at seven tenths.
    assert wait_ns == pytest.approx(rho * service_ns / (2 * (1 - rho)), rel=0.08)
    for waits in (0.25, 0.75, 1.5, 2.5):  # in service times, between the steps of the distribution
        expected = 1 - m_d_1_waits_at_most(waits, rho)
        assert longer(times, (1 + waits) * service_ns) == pytest.approx(expected, abs=0.02)
    assert one(run).service_time.quantile(0.999) == service_ns


def m_d_1_waits_at_most(services: float, rho: float) -> float:
    """Erlang's distribution of the wait, in service times."""
    terms = (
        (rho * (k - services)) ** k / math.factorial(k) * math.exp(-rho * (k - services))
        for k in range(int(services) + 1)
    )
    return (1 - rho) * sum(terms)


def test_m_m_1_response_times_are_exponential(measured: Measure) -> None:
    arrival, service = 60.0, 100.0  # per second
    run = measured(
        Station(exponential(NS_PER_S / service, 5)), poisson(arrival, 20_000), connections=1
    )
    times = one(run).response_time
    mean_ns = NS_PER_S / (service - arrival)
    assert times.mean == pytest.approx(mean_ns, rel=0.06)
    for q in (0.5, 0.9, 0.95, 0.99):
        assert times.quantile(q) == pytest.approx(-math.log(1 - q) * mean_ns, rel=0.1)


def test_a_pause_of_the_generator_itself_is_part_of_the_response_times(measured: Measure) -> None:
    """One second in which the whole process stood still, at a moment when nothing was under way."""
    paused: list[int] = []

    def stand_still(_: Progress) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if not paused:
            loop.now_ns += NS_PER_S
            paused.append(loop.now_ns)

    profile = ConstantRate(rate_per_s=200, duration_s=4)
    run = measured(Station(lambda: MS, servers=300), profile, observer=stand_still)
    times = one(run).response_time
    assert longer(times, 2 * MS) == pytest.approx(200 / 800, abs=0.01)
    assert longer(times, 501 * MS) == pytest.approx(100 / 800, abs=0.01)
    assert (run.generator.send_lag.maximum or 0) == pytest.approx(NS_PER_S, rel=0.01)
    assert run.generator.lagging is not None
    # Twenty beats a second, of which the second that was lost has its share.
    lag = run.generator.loop_lag
    assert lag.count == pytest.approx(80, abs=2)
    assert lag.count_above(500 * MS) == pytest.approx(10, abs=1)
    assert (one(run).service_time.quantile(0.99) or 0) < 2 * MS


def test_d_d_1_below_capacity_never_waits(measured: Measure) -> None:
    profile = ConstantRate(rate_per_s=190, duration_s=20)
    run = measured(Station(lambda: 5 * MS), profile, connections=1)
    assert (one(run).response_time.minimum, one(run).response_time.maximum) == (5 * MS, 5 * MS)
    assert (run.late, run.generator.send_lag.maximum) == (0, 0)


def test_a_burst_above_capacity_queues_for_as_long_as_the_fluid_does(measured: Measure) -> None:
    """50/s above what the server can do for 10 s are 500 that wait, the last for 5 s."""
    stages = tuple(
        Stage(start=rate, end=rate, duration_s=seconds)
        for rate, seconds in ((50, 10), (150, 10), (50, 30))
    )
    run = measured(Station(lambda: 10 * MS), StagedRate(stages=stages), connections=20)
    assert one(run).response_time.maximum == pytest.approx(5 * NS_PER_S, rel=0.01)
    # Built up for 10 s and worked off at 50/s for 10 s: 1500 and 500 of the 3500 waited.
    assert longer(one(run).response_time, 10.5 * MS) == pytest.approx(2000 / 3500, rel=0.01)


@pytest.mark.parametrize("connections", [10, 300])
def test_a_stalling_server_shows_as_it_is_with_few_and_with_many_connections(
    measured: Measure, connections: int
) -> None:
    """Stopped for 1 s in 5: P(longer than x) = 0.2 (1 - x) for the response times."""
    station = Station(lambda: MS // 10, servers=300, stalled=stalls(every_s=5, for_s=1))
    run = measured(station, ConstantRate(rate_per_s=200, duration_s=30), connections=connections)
    times = one(run).response_time
    assert (run.offered, run.sent, times.count) == (6_000, 6_000, 6_000)
    assert times.quantile(0.5) == pytest.approx(MS // 10, abs=0.3 * MS)
    for q, true_ms in ((0.9, 500), (0.95, 750), (0.99, 950), (0.999, 995)):
        assert (times.quantile(q) or 0) / (true_ms * MS) == pytest.approx(1, abs=0.02), q


def test_a_rare_stall_shows_in_the_response_time_and_hardly_in_the_service_time(
    measured: Measure,
) -> None:
    """2 s in 30: P(longer than x) = (2 - x) / 30, so one in a hundred takes longer than 1.7 s."""
    station = Station(lambda: MS, servers=10, stalled=stalls(every_s=30, for_s=2))
    run = measured(station, ConstantRate(rate_per_s=200, duration_s=120), connections=10)
    response_ns = one(run).response_time.quantile(0.99) or 0
    service_ns = one(run).service_time.quantile(0.99) or 0
    assert response_ns == pytest.approx(1.7 * NS_PER_S, rel=0.02)
    assert service_ns * 10 < response_ns


def stalls(*, every_s: int, for_s: int) -> Callable[[int], int]:
    def stalled(now_ns: int) -> int:
        into_ns = now_ns % (every_s * NS_PER_S)
        return max(now_ns, now_ns - into_ns + for_s * NS_PER_S)

    return stalled


@pytest.mark.parametrize(("users", "per_s"), [(20, 20 / 0.1), (200, 1000)])
def test_users_ask_as_often_as_thinking_and_the_server_let_them(
    measured: Measure, users: int, per_s: float
) -> None:
    """N / (S + Z) as long as nobody waits for another; 1 / S when the server is never idle."""
    think_time = ThinkTime(least_ns=99 * MS, most_ns=99 * MS)
    run = measured(Station(lambda: MS), Closed(users=users, duration_s=10, rhythm=think_time))
    assert run.sent / 10 == pytest.approx(per_s, rel=0.02)


@pytest.mark.parametrize("users", [5, 30, 60])
def test_users_response_time_and_rate_obey_the_interactive_response_time_law(
    measured: Measure, users: int
) -> None:
    """R = N / X - Z, whatever the distributions are."""
    think_time = ThinkTime(least_ns=50 * MS, most_ns=150 * MS)
    run = measured(
        Station(exponential(3 * MS, 2)), Closed(users=users, duration_s=30, rhythm=think_time)
    )
    times = one(run).response_time
    rate_per_ns = times.count / (30 * NS_PER_S)
    assert users / rate_per_ns == pytest.approx((times.mean or 0) + 100 * MS, rel=0.02)


def test_users_without_pauses_keep_a_server_busy_and_wait_for_each_other(
    measured: Measure,
) -> None:
    run = measured(Station(lambda: MS), Closed(users=8, duration_s=2))
    assert run.sent == pytest.approx(2000, abs=9)
    assert one(run).response_time.quantile(0.5) == 8 * MS


def test_paced_users_come_one_by_one_and_never_in_a_crowd(measured: Measure) -> None:
    station = Station(lambda: MS, servers=50)
    run = measured(station, Closed(users=50, duration_s=10, rhythm=Pacing(every_ns=1000 * MS)))
    first, *rest = [at_ns - station.arrivals_ns[0] for at_ns in station.arrivals_ns]
    assert [first, *rest] == [20 * MS * index for index in range(500)]
    assert (run.offered, run.late) == (500, 0)


@pytest.mark.parametrize("every_ms", [10, 25])
def test_an_iteration_that_is_due_while_its_user_waits_begins_late_with_its_clock_running(
    measured: Measure, every_ms: int
) -> None:
    """Users that cannot keep their pace wait as arrivals of a rate over as many connections do."""
    station = Station(lambda: 10 * MS, servers=4, stalled=stalls(every_s=2, for_s=1))
    pacing = Pacing(every_ns=4 * every_ms * MS)
    run = measured(station, Closed(users=4, duration_s=8, rhythm=pacing))
    rate = ConstantRate(rate_per_s=1000 / every_ms, duration_s=8)
    alike = measured(
        Station(lambda: 10 * MS, servers=4, stalled=stalls(every_s=2, for_s=1)), rate, connections=4
    )
    assert run.offered == run.sent == alike.offered
    assert run.late > 100
    for q in (0.5, 0.9, 0.99):
        ours, theirs = one(run).response_time.quantile(q), one(alike).response_time.quantile(q)
        assert ours == pytest.approx(theirs, rel=0.05, abs=10 * MS)
