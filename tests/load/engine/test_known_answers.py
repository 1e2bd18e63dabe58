"""Servers that change the way they answer in the midst of a run: each answer is what it says."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from tests.client.tcp_server import OK, Handler, Peer, serving
from tests.load.engine.test_run import check_books, one
from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.scenario.scenario import Scenario, scenario_from_requests
from withstand.load.script.script import Script

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\n\r\n"
CREATED = OK.replace(b"200", b"201")
# Pieces of an answer, its status, and how often it is given in a row.
Course = tuple[Sequence[bytes], int, int]
COURSES: tuple[Course, ...] = (
    ([OK], 200, 5),
    ([OK[:10], OK[10:]], 200, 2),  # a known head, in two reads
    ([OK[:-1], OK[-1:]], 200, 2),  # all but the last byte of a known answer
    ([OK], 200, 3),
    ([OK.replace(b"200", b"500")], 500, 3),
    ([CREATED], 201, 4),
    ([CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"], 200, 3),
    ([CHUNKED + b"2\r\nhi\r\n0\r\n\r", b"\n"], 200, 2),
    ([CHUNKED + b"14\r\n12345678", b"123456789012\r\n0\r\n\r\n"], 200, 2),  # begins as long
    ([EARLY + OK], 200, 3),
    ([EARLY + CREATED], 201, 3),  # as long as the one before, and the first head is the same
    ([EARLY, OK], 200, 2),
    ([OK, b""], 200, 3),
)
EXPECTED = Counter({
    status: sum(times for _, each, times in COURSES if each == status)
    for status in {status for _, status, _ in COURSES}
})  # fmt: skip
TOTAL = EXPECTED.total()
SCRIPT = """
from withstand.load import user

@user
async def visitor(client):
    (await client.get("/")).raise_for_status()
"""


def in_turn() -> Handler:
    """All courses in turn over all connections, then only OK."""
    meal = [pieces for pieces, _, times in COURSES for _ in range(times)]
    turns = count()

    async def handler(peer: Peer) -> None:
        while True:
            await peer.request()
            turn = next(turns)
            for number, piece in enumerate(meal[turn] if turn < len(meal) else [OK]):
                if number:
                    await asyncio.sleep(0.01)
                await peer.write(piece)

    return handler


def scenario(target: Target) -> Scenario:
    return scenario_from_requests([("GET /", Request(method="GET", path="/"))], target)


def measured_over(profile: Profile, script: Script | None = None) -> LoadMeasurement:
    async def exchange() -> LoadMeasurement:
        async with serving(in_turn()) as server:
            plan = script or scenario(server.target)
            return await run_load(server.target, plan, profile, connections=2)

    return run(exchange())


@pytest.mark.parametrize(
    "profile",
    [ConstantRate(rate_per_s=400, duration_s=0.5), Closed(users=2, duration_s=0.6)],
    ids=["open", "closed"],
)
@pytest.mark.parametrize("scripted", [False, True], ids=["declared", "script"])
def test_every_answer_is_counted_for_what_it_is(
    profile: Profile, scripted: bool, tmp_path: Path
) -> None:
    script = None
    if scripted:
        file = tmp_path / "visit.py"
        file.write_text(SCRIPT)
        script = load_script(file)
    measured = measured_over(profile, script)
    check_books(measured)
    operation = one(measured)
    assert not operation.failures
    statuses = Counter(operation.statuses)
    assert statuses.total() >= TOTAL
    statuses[200] -= statuses.total() - TOTAL  # what came after all the courses
    assert statuses == EXPECTED
    assert operation.errors == EXPECTED[500]


def test_bytes_are_those_that_came() -> None:
    measured = measured_over(ConstantRate(rate_per_s=400, duration_s=0.5))
    whole = [b"".join(pieces) for pieces, _, times in COURSES for _ in range(times)]
    whole += [OK] * (200 - len(whole))
    assert one(measured).bytes_received == sum(map(len, whole))
