"""The demo's capacity is what it was told to be, whatever the machine does."""

import asyncio
import random
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from withstand.demo.__main__ import main
from withstand.demo.capacity import Capacity, LimitedCapacity


async def _nothing(*_: Any) -> Any:
    raise AssertionError("no request is sent here")


def ends_s(capacity: Capacity, arrivals_s: list[float]) -> list[float]:
    """When requests that come at these times are through."""
    limited = LimitedCapacity(_nothing, capacity)
    return [at_s + limited.wait_s(at_s) for at_s in arrivals_s]


def test_below_the_capacity_nobody_waits_for_a_worker() -> None:
    ends = ends_s(Capacity(per_s=100, workers=4), [0.0, 0.01, 0.02, 0.03, 0.04])
    assert ends == pytest.approx([0.04, 0.05, 0.06, 0.07, 0.08])


def test_above_it_requests_are_through_at_its_rate_first_come_first_served() -> None:
    ends = ends_s(Capacity(per_s=100, workers=4), [index / 1000 for index in range(2000)])
    assert ends == sorted(ends)
    assert len(ends) / ends[-1] == pytest.approx(100, rel=0.01)


def test_random_service_times_have_the_same_capacity() -> None:
    draw = random.Random(3)
    arrivals = sorted(draw.uniform(0, 1) for _ in range(20_000))
    ends = ends_s(Capacity(per_s=500, workers=2, random_times=True), arrivals)
    assert len(ends) / max(ends) == pytest.approx(500, rel=0.03)
    assert ends != sorted(ends)


def test_health_is_let_through_while_others_queue() -> None:
    served: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        served.append(scope["path"])

    async def both() -> None:
        limited = LimitedCapacity(app, Capacity(per_s=0.001))
        requests = [
            asyncio.create_task(limited({"type": "http", "path": path}, _nothing, _nothing))
            for path in ("/products", "/health")
        ]
        await requests[1]
        requests[0].cancel()

    asyncio.run(both())
    assert served == ["/health"]


@pytest.mark.parametrize("arguments", [("--capacity", "0"), ("--capacity", "5", "--workers", "0")])
def test_a_capacity_that_serves_nobody_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "serves nobody" in capsys.readouterr().err
