"""A step is over when its settled seconds decide it, and not before."""

from dataclasses import replace

from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.load.profile.profile import ConstantRate
from withstand.load.window import Window
from withstand.slo import parse_objective
from withstand.slo.step_verdict import judge_step
from withstand.slo.step_watch import StepWatch
from withstand.stats.capacity import Purpose, SearchPlan, Step, StepState
from withstand.stats.histogram import Histogram

MS = 1_000_000
OPERATION = "GET /work"
P95 = (parse_objective("p95<100ms"),)
PLAN = SearchPlan(start_per_s=100.0, warm_up_windows=2, least_windows=5, most_windows=10)
WANTED = Step(
    rate_per_s=100.0, purpose=Purpose.RAMP, least_windows=5, more_windows=5, most_windows=10
)


def watch() -> StepWatch:
    return StepWatch(PLAN, WANTED, ConstantRate(rate_per_s=100, duration_s=12), P95)


def window(second: int, *, ended: int = 100, took_ms: int = 10) -> Window:
    return Window(second=second, response_time=Histogram([took_ms * MS] * ended))


def load(at_s: float, *windows: Window) -> LoadMeasurement:
    return LoadMeasurement(
        model="open",
        profile="100/s",
        started_at=0.0,
        duration_s=at_s,
        offered=round(at_s * 100),
        sent=round(at_s * 100),
        late=0,
        unanswered=0,
        operations={OPERATION: OperationMeasurement(operation=OPERATION, windows=windows)},
        generator=GeneratorHealth(cpu_share=0.1, send_lag=Histogram()),
    )


def test_five_seconds_after_the_warm_up_are_enough_for_a_quick_server() -> None:
    watching = watch()
    decided = [watching.decides(load(second + 1.1, window(second))) for second in range(7)]
    assert decided == [False] * 6 + [True]
    windows = tuple(window(second) for second in range(8))
    step = watching.step(load(8.0, *windows), duration_s=8.5)
    assert step.windows == 5
    assert judge_step(P95, step).state is StepState.MET


def test_a_step_ends_as_soon_as_a_process_is_lost() -> None:
    watching = watch()
    assert not watching.decides(load(1.1, window(0)))
    crippled = load(2.1, window(1, ended=50))
    lost = replace(crippled.generator, lost="process 2 of 2 was killed")
    assert watching.decides(replace(crippled, generator=lost))


def test_a_second_that_still_waits_for_answers_does_not_count() -> None:
    watching = watch()
    for second in range(6):
        assert not watching.decides(load(second + 1.1, window(second)))
    assert not watching.decides(load(7.1, window(6, ended=99)))
    assert watching.decides(load(8.1, window(6)))


def test_good_answers_are_counted_by_the_clock_from_the_end_of_the_warm_up() -> None:
    watching = watch()
    # The server answers 50 of 100 a second, in the order in which they came.
    for second in range(1, 9):
        done = 50 * second
        windows = tuple(
            window(at, ended=min(done - 100 * at, 100)) for at in range(9) if done > 100 * at
        )
        watching.decides(load(float(second), *windows))
    step = watching.step(load(9.0), duration_s=9.0)
    assert (step.answered, step.answered_over_s) == (50 * 6, 6.0)
    assert step.throughput_per_s == 50.0


def test_overload_ends_a_step_after_three_settled_seconds() -> None:
    watching = watch()
    decided = [
        watching.decides(load(second + 3.0, window(second, took_ms=2_000))) for second in range(5)
    ]
    assert decided == [False] * 4 + [True]
