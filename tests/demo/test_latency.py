"""The demo's latencies are drawn from the distributions that it was told."""

import asyncio
from math import log
from statistics import NormalDist, fmean, median, stdev
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from withstand.demo.__main__ import main
from withstand.demo.latency import KnownLatency, parse_latencies


async def _nothing(*_: Any) -> Any:
    raise AssertionError("no request is sent here")


def drawn_s(line: str, count: int, *, slower: str | None = None, seed: str = "1") -> list[float]:
    """The latencies of so many GET /users."""
    latencies = parse_latencies([line], slower=slower, seed=seed)
    assert latencies is not None
    held = KnownLatency(_nothing, latencies)
    drawn = [held.latency_s("GET", "/users") for _ in range(count)]
    assert None not in drawn
    return [each for each in drawn if each is not None]


def test_a_lognormal_latency_exceeds_a_limit_as_often_as_its_median_and_sigma_say() -> None:
    drawn = drawn_s("GET /users: lognormal 20ms 0.5", 20_000)
    logs = [log(each) for each in drawn]
    assert median(drawn) == pytest.approx(0.020, rel=0.02)
    assert stdev(logs) == pytest.approx(0.5, rel=0.02)
    above = 1 - NormalDist().cdf(log(40 / 20) / 0.5)
    assert fmean(each > 0.040 for each in drawn) == pytest.approx(above, abs=0.006)


def test_a_bimodal_latency_is_slow_in_its_share() -> None:
    drawn = drawn_s("GET /users: bimodal 5ms 80ms 10%", 20_000)
    assert set(drawn) == {0.005, 0.080}
    assert fmean(each == 0.080 for each in drawn) == pytest.approx(0.1, abs=0.007)


def test_slower_makes_every_latency_longer_by_its_share() -> None:
    line = "GET /users: lognormal 20ms 0.5"
    assert drawn_s(line, 50, slower="10%") == pytest.approx(
        [1.1 * each for each in drawn_s(line, 50)]
    )


def test_a_seed_draws_the_same_again_and_without_one_every_start_draws_anew() -> None:
    line = "GET /users: lognormal 20ms 0.5"
    assert drawn_s(line, 5, seed="a") == drawn_s(line, 5, seed="a") != drawn_s(line, 5, seed="b")
    unseeded = parse_latencies([line])
    assert unseeded is not None
    first, second = KnownLatency(_nothing, unseeded), KnownLatency(_nothing, unseeded)
    assert first.latency_s("GET", "/users") != second.latency_s("GET", "/users")


def test_a_line_is_for_its_operation_and_the_star_for_all_others_but_health() -> None:
    latencies = parse_latencies(
        ["*: fixed 1ms", "GET /orders/{id}: fixed 2ms", "GET /orders/mine: fixed 3ms"]
    )
    assert latencies is not None
    held = KnownLatency(_nothing, latencies)
    found = [
        held.latency_s(*request)
        for request in (
            ("GET", "/orders/7"),
            ("GET", "/orders/mine"),
            ("POST", "/orders/7"),
            ("GET", "/orders/7/lines"),
            ("GET", "/health"),
        )
    ]
    assert found == [0.002, 0.003, 0.001, 0.001, None]


def test_a_response_is_held_back_until_its_latency_is_over_and_not_before_the_work_is_done() -> (
    None
):
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    latencies = parse_latencies(["GET /users: fixed 30ms"])
    assert latencies is not None
    held = KnownLatency(app, latencies)

    async def waited_s() -> float:
        clock = asyncio.get_running_loop().time
        sent_s: list[float] = []

        async def send(_message: Message) -> None:
            sent_s.append(clock())

        # From before the request arrives: whatever pauses this process only makes it longer.
        asked_s = clock()
        await held({"type": "http", "method": "GET", "path": "/users"}, _nothing, send)
        return sent_s[0] - asked_s

    # Never early; how late depends on the machine.
    assert asyncio.run(waited_s()) > 0.0299


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--latency", "fixed 5ms"), "names no operation"),
        (("--latency", "GET /users: gamma 5ms"), "is no latency"),
        (("--latency", "GET /users: fixed 5"), "is no time"),
        (("--latency", "GET /users: bimodal 5ms 9ms 0.1"), "is no percentage"),
        (("--latency", "GET /users: bimodal 5ms 9ms 110%"), "more than all"),
        (("--slower", "10%"), "give --latency too"),
        (("--latency-seed", "7"), "give --latency too"),
    ],
)
def test_a_latency_that_cannot_be_read_is_refused_with_the_way_to_write_it(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
