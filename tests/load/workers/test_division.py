"""What the processes of all machines send together is the load that was asked for."""

from functools import partial
from itertools import product
from pathlib import Path

import pytest

from tests.load.conftest import Api
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.load.engine.script_file import load_script
from withstand.load.profile.profile import ArrivalSchedule, Closed, ConstantRate
from withstand.load.scenario.scenario import Call, Scenario
from withstand.load.workers.division import divided
from withstand.load.workers.run import run_workers
from withstand.sharding import Shard

LOCAL = Target(scheme="http", host="127.0.0.1", port=8000)
MIX = Scenario(
    calls=(
        Call(operation="GET /a", variants=(b"a",), weight=3),
        Call(operation="GET /b", variants=(b"b",)),
    )
)
RATE = ConstantRate(rate_per_s=500, duration_s=1, arrivals="poisson")


def test_the_parts_of_all_processes_of_all_shards_are_the_whole_arrival_by_arrival() -> None:
    sent: list[tuple[int, int]] = []
    for number in (1, 2, 3):
        for part in divided(LOCAL, MIX, RATE, processes=2, shard=Shard(number=number, total=3)):
            assert isinstance(part, partial)
            _, scenario, profile = part.args
            assert isinstance(profile, ArrivalSchedule)
            order = scenario.order()
            sent += [
                (offset_ns, order[index % len(order)])
                for index, offset_ns in enumerate(profile.offsets_ns())
            ]
    whole = MIX.order()
    assert sorted(sent) == [
        (offset_ns, whole[index % len(whole)]) for index, offset_ns in enumerate(RATE.offsets_ns())
    ]


def test_as_many_processes_as_are_asked_for_share_the_connections_and_the_options() -> None:
    parts = divided(LOCAL, MIX, RATE, processes=3, connections=7, timeout_s=2.5)
    keywords = [part.keywords for part in parts if isinstance(part, partial)]
    assert [each["connections"] for each in keywords] == [3, 2, 2]
    assert {each["timeout_s"] for each in keywords} == {2.5}


SCRIPT = """
from withstand.load import AsyncClient, user

@user
async def look(client: AsyncClient) -> None:
    await client.get("/ok", params={"user": client.number})
"""


def test_every_process_loads_a_user_script_for_itself_and_has_users_of_its_own(
    api: Api, tmp_path: Path
) -> None:
    file = tmp_path / "look.py"
    file.write_text(SCRIPT)
    script, profile = load_script(file), Closed(users=5, duration_s=0.4)
    assert len(divided(api.target, script, profile)) == 1
    measured = run(run_workers(divided(api.target, script, profile, processes=2), profile))
    seen = api.seen()
    assert set(seen.paths) == {f"/ok?user={number}" for number in range(5)}
    assert measured.sent == seen.requests
    assert measured.script is not None
    cut_off = measured.sent - measured.script.iterations
    assert 0 <= cut_off <= 5, "at the end each user stops where it is"
    assert measured.generator.lost is None


def test_a_small_load_stays_in_one_process_and_every_one_has_something_to_do() -> None:
    for profile, number in product((RATE, Closed(users=3, duration_s=1)), (None, 1)):
        assert len(divided(LOCAL, MIX, profile, processes=number)) == 1
    with pytest.raises(UsageError, match="4 processes cannot share 3 users"):
        divided(LOCAL, MIX, Closed(users=3, duration_s=1), processes=4)
