"""What is judged of a comparison, and together with what."""

from random import Random

import pytest

from withstand.load.comparison import Arm, Block, ComparisonMeasurement, Restart
from withstand.slo.comparison import judge_comparison
from withstand.stats.regression import Change


def arm(random: Random, factor: float, requests: int, errors: int = 0) -> Arm:
    times = (random.lognormvariate(0, 0.2) * factor * 20e6 for _ in range(requests - errors))
    return Arm(times_ns=tuple(map(round, times)), errors=errors)


def restarts(
    factor: float, *, count: int = 6, blocks: int = 3, requests: int = 100, errors_b: int = 0
) -> tuple[Restart, ...]:
    """Of one operation whose B takes `factor` as long and fails so many requests of each block."""
    random = Random(11)
    return tuple(
        tuple(
            Block(a=arm(random, 1.0, requests), b=arm(random, factor, requests, errors_b))
            for _ in range(blocks)
        )
        for _ in range(count)
    )


def measured(
    operations: dict[str, tuple[Restart, ...]], *, restarted: bool = True, requests: int = 100
) -> ComparisonMeasurement:
    return ComparisonMeasurement(
        a="a",
        b="b",
        restarted=restarted,
        restarts=6,
        blocks=3,
        requests=requests,
        started_at=0.0,
        duration_s=1.0,
        operations=operations,
    )


def test_one_slower_operation_among_others_makes_the_version_slower() -> None:
    verdict = judge_comparison(measured({"GET /a": restarts(1.0), "GET /b": restarts(1.3)}))
    assert verdict.state is Change.WORSE
    assert {(each.operation, each.indicator) for each in verdict.worse()} == {
        ("GET /b", "p50"),
        ("GET /b", "p95"),
    }
    assert verdict.exit_code() == 1


def test_the_unit_is_the_restart_and_without_restarts_the_block() -> None:
    for restarted, units, margin in ((True, 6, 0.02), (False, 18, 0.05)):
        verdict = judge_comparison(measured({"GET /a": restarts(1.0)}, restarted=restarted))
        assert {each.found.units for each in verdict.differences if each.found} == {units}
        assert verdict.margin == margin


def test_more_operations_share_one_probability_of_a_false_alarm() -> None:
    one = judge_comparison(measured({"GET /a": restarts(1.1)}))
    many = judge_comparison(measured({f"GET /{n}": restarts(1.1) for n in range(20)}))
    assert (one.tests, many.tests) == (2, 40)
    for alone, among in zip(one.differences[:2], many.differences[:2], strict=True):
        assert alone.found is not None
        assert among.found is not None
        assert among.found.low < alone.found.low
        assert among.found.detectable > alone.found.detectable
        # That nothing is slower is only said when every test says so: that needs no correction.
        assert among.found.high == alone.found.high


def test_errors_are_a_test_only_where_a_request_failed() -> None:
    clean = judge_comparison(measured({"GET /a": restarts(1.0), "GET /b": restarts(1.0)}))
    failing = judge_comparison(
        measured({"GET /a": restarts(1.0), "GET /b": restarts(1.0, errors_b=5)})
    )
    assert (clean.tests, failing.tests) == (4, 5)
    (worse,) = failing.worse()
    assert (worse.operation, worse.indicator) == ("GET /b", "errors")
    assert worse.a == 0.0
    assert worse.b == pytest.approx(0.05)


def test_a_version_that_fails_most_requests_is_worse_and_its_latency_undecided() -> None:
    verdict = judge_comparison(measured({"GET /a": restarts(0.1, errors_b=80)}))
    states = {each.indicator: each.state for each in verdict.differences}
    assert states == {"p50": Change.UNDECIDED, "p95": Change.UNDECIDED, "errors": Change.WORSE}


@pytest.mark.parametrize(
    ("requests", "indicators"),
    [(20, ["p50", "errors"]), (100, ["p50", "p95", "errors"]),
     (500, ["p50", "p95", "p99", "errors"])],
)  # fmt: skip
def test_a_quantile_is_compared_where_blocks_have_requests_enough(
    requests: int, indicators: list[str]
) -> None:
    verdict = judge_comparison(
        measured({"GET /a": restarts(1.0, count=2, requests=requests)}, requests=requests)
    )
    assert [each.indicator for each in verdict.differences] == indicators


def test_what_is_undecided_passes_and_is_void_when_strict() -> None:
    found = measured({"GET /a": restarts(1.03, count=3, blocks=1)})
    assert judge_comparison(found).state is Change.UNDECIDED
    assert judge_comparison(found).exit_code() == 0
    assert judge_comparison(found, strict=True).exit_code() == 3


def test_one_restart_alone_is_undecided() -> None:
    verdict = judge_comparison(measured({"GET /a": restarts(3.0, count=1)}))
    assert verdict.state is Change.UNDECIDED
    assert all(each.found is None for each in verdict.differences)


def test_a_margin_of_ones_own_replaces_the_default() -> None:
    found = measured({"GET /a": restarts(1.2)})
    assert judge_comparison(found).state is Change.WORSE
    assert judge_comparison(found, margin=0.5).state is Change.NO_WORSE
