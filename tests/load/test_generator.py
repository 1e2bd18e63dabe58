"""When the generator's figures are its own."""

import pytest

from withstand.load.generator import lagging, saturation
from withstand.load.measurement import GeneratorHealth
from withstand.stats.histogram import Histogram

MS = 1_000_000


def judged(
    model: str = "open",
    *,
    due: int = 1000,
    dispatched: int = 1000,
    cpu_share: float = 0.3,
    exhausted: int = 0,
) -> str | None:
    return saturation(
        model=model,
        due=due,
        dispatched=dispatched,
        cpu_share=cpu_share,
        exhausted=exhausted,
    )


def test_a_generator_with_room_to_spare_is_not_saturated() -> None:
    assert judged() is None
    assert judged("closed") is None


def test_arrivals_that_could_not_be_sent_in_time_saturate_the_open_model() -> None:
    assert judged(dispatched=980) is None
    assert "97.9 %" in (judged(dispatched=979) or "")
    assert judged("closed", dispatched=0) is None


def late(
    lag_ms: float = 0,
    p99_ms: float = 1,
    *,
    model: str = "open",
    loop_lag_ms: float = 0,
    cpu_share: float = 0.3,
    pause_ms: float = 0,
) -> str | None:
    health = GeneratorHealth(
        cpu_share=cpu_share,
        send_lag=Histogram([int(lag_ms * MS)] * 100),
        loop_lag=Histogram([int(loop_lag_ms * MS)] * 100),
        gc_pauses=Histogram([int(pause_ms * MS)]),
    )
    return lagging(health, model=model, response_p99_ns=int(p99_ms * MS))


@pytest.mark.parametrize(
    ("lag_ms", "p99_ms", "harmful"),
    [(9, 1, False), (12, 1, True), (12, 40, True), (12, 60, False), (300, 1000, True)],
)
def test_a_send_lag_matters_above_10_ms_and_a_quarter_of_what_is_measured(
    lag_ms: float, p99_ms: float, harmful: bool
) -> None:
    assert (late(lag_ms, p99_ms) is not None) is harmful


def test_the_lag_of_the_event_loop_matters_where_requests_have_no_moment_to_leave_at() -> None:
    assert late(loop_lag_ms=12) is None
    assert "held up" in (late(loop_lag_ms=12, model="closed") or "")
    assert late(loop_lag_ms=9, model="closed") is None


def test_a_late_generator_names_what_held_it_up_and_what_to_change() -> None:
    assert "collector stopped it for up to 30.0 ms" in (late(20, pause_ms=30) or "")
    assert "95 % of a core busy: lower the rate" in (late(20, cpu_share=0.95) or "")
    assert "something else took its core" in (late(20, pause_ms=5) or "")


def test_a_busy_core_saturates_the_closed_model_alone() -> None:
    assert "users" in (judged("closed", cpu_share=0.99) or "")
    assert judged("open", cpu_share=0.99) is None


def test_running_out_of_descriptors_saturates() -> None:
    assert "ulimit" in (judged(exhausted=3) or "")


def test_a_run_without_any_request_is_not_the_generators_fault() -> None:
    assert (
        saturation(
            model="open",
            due=0,
            dispatched=0,
            cpu_share=0.0,
        )
        is None
    )
