"""How a measurement is told: its verdict, its sentences, its flat properties."""

import random

import pytest

from withstand.pytest_plugin.measurement import Measurement
from withstand.pytest_plugin.objectives import parse_objectives
from withstand.slo.trial import Trial
from withstand.slo.verdict import VerdictState

MS = 1_000_000


def _measured(
    *elapsed_ms: float, seconds: float = 1.5, failure: str | None = None, **keywords: object
) -> Measurement:
    """What would be said of these calls, over and over; 0 ms is one that fails."""
    trial = Trial("test_a.py::test_a", tuple(parse_objectives(keywords).values()), noun="call")
    values: list[float] = []
    while not trial.done and len(values) < 4_000:
        value = elapsed_ms[len(values) % len(elapsed_ms)]
        values.append(value * MS or float("inf"))
        trial.add(value * MS, failed=not value)
    trial.close()
    return Measurement(
        verdicts=trial.verdicts(),
        elapsed_ns=sorted(values),
        seconds=seconds,
        last_failure=failure,
    )


def test_what_is_met_shows_objective_interval_calls_and_time() -> None:
    measured = _measured(*[150] * 19, 171, p95="200ms")

    assert measured.verdict is VerdictState.MET
    assert measured.lines() == [
        "met: p95<200ms: p95 in 150-171 ms; 0 of 90 calls failed or took longer than 200 ms; "
        "5 % may (90 calls in 1.50 s)"
    ]


def test_one_breached_objective_is_enough_to_stop_and_alone_explains_it() -> None:
    measured = _measured(7, p50=10, p99=5)

    assert measured.verdict is VerdictState.BREACHED
    assert measured.calls == 80
    assert measured.explanation() == (
        "breached: p99<5ms: p99 at least 7.00 ms; 40 of 40, and then 40 of 40 calls failed or took "
        "longer than 5.00 ms; 1 % may (80 calls in 1.50 s)"
    )
    assert [line.split(":")[0] for line in measured.lines()] == ["met", "breached"]


def test_a_failed_call_is_slower_than_every_limit() -> None:
    measured = _measured(0, p50=10, max_error_rate=0.9, failure="ValueError: no answer")

    assert measured.verdict is VerdictState.BREACHED
    assert "p50 is a failed call" in measured.explanation()
    assert measured.explanation().endswith("the last failure: ValueError: no answer")
    assert measured.quantiles_ms["p50"] is None
    assert "withstand.p50_ms" not in dict(measured.properties("withstand."))


def test_what_would_decide_is_a_part_of_an_inconclusive_line() -> None:
    rng = random.Random(7)
    close = [300.0 if rng.random() < 0.05 else 50.0 for _ in range(4_000)]
    measured = _measured(*close, p95="200ms")

    assert measured.verdict is VerdictState.INCONCLUSIVE
    (line,) = measured.lines()
    assert line.startswith("inconclusive: p95<200ms: p95 in 50.0-300 ms; ")
    assert ": too close to " in line


def test_properties_are_flat_and_hold_the_interval() -> None:
    found = dict(_measured(10, 20, p95="1s", max_error_rate="5%").properties("withstand.2."))

    assert found["withstand.2.verdict"] == "met"
    assert found["withstand.2.calls"] == 90
    assert found["withstand.2.seconds"] == 1.5
    assert found["withstand.2.p95_ms"] == found["withstand.2.p95_high_ms"] == 20
    assert found["withstand.2.error_rate"] == found["withstand.2.error_rate_low"] == 0
    assert isinstance(found["withstand.2.error_rate_high"], float)
    assert 0.02 < found["withstand.2.error_rate_high"] <= 0.05


@pytest.mark.parametrize(
    ("elapsed_ms", "expected"),
    [
        ([0.95] * 9 + [1.2], "p90 in 950 µs to 1.20 ms"),
        ([*[5] * 11, 0], "p90 at least 5.00 ms"),
    ],
)
def test_an_interval_names_its_units_once_and_its_open_ends(
    elapsed_ms: list[float], expected: str
) -> None:
    assert f": {expected}; " in _measured(*elapsed_ms, p90="1.1ms").lines()[0]


def test_quantiles_are_those_that_are_usual_and_those_that_are_promised() -> None:
    measured = _measured(10, 20, p975="1s")

    assert list(measured.quantiles_ms) == ["p50", "p90", "p95", "p99", "p97.5"]
    assert measured.quantiles_ms["p50"] == 10
    assert measured.quantiles_ms["p97.5"] == 20
    assert measured.intervals_ms == {"p97.5": (20, 20)}
