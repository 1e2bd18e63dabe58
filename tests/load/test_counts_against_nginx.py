"""What the engine says it sent is what a foreign server counted, to the request, in every mode."""

from collections.abc import Iterator

import pytest

from tests.client.certificates import made_in
from tests.nginx_server import Nginx, needs_nginx, running
from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.merge import merge_measurements
from withstand.load.profile.profile import Closed, ConstantRate, Profile, share_of
from withstand.load.scenario.scenario import Plan, Scenario, scenario_from_requests
from withstand.load.workers.division import divided
from withstand.load.workers.run import run_workers
from withstand.sharding import Shard

pytestmark = needs_nginx

# Connections end after a few requests, so that new ones have to be opened under way.
SERVER = """
        keepalive_requests 7;
        location /users { return 200 '{"id":1}'; }
        location /orders { return 201 '[]'; }
        location /broken { return 503; }
"""
CLOSED = Closed(users=20, duration_s=0.25)
OPEN = ConstantRate(rate_per_s=2_000, duration_s=0.25)
POISSON = ConstantRate(rate_per_s=2_000, duration_s=0.25, arrivals="poisson")

secure_or_not = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
any_model = pytest.mark.parametrize(
    "profile", [CLOSED, OPEN, POISSON], ids=["closed", "open", "poisson"]
)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    certificates = made_in(tmp_path_factory.mktemp("certificates"))
    with running(tmp_path_factory.mktemp("nginx"), certificates, SERVER) as started:
        yield started


def mix(target: Target) -> Scenario:
    paths = {"/users": 5.0, "/orders": 3.0, "/broken": 1.0}
    return scenario_from_requests(
        [
            Plan(
                operation=f"GET {path}",
                requests=tuple(Request(method="GET", path=f"{path}?{n}") for n in range(3)),
                weight=weight,
            )
            for path, weight in paths.items()
        ],
        target,
    )


def loaded(target: Target, profile: Profile, *, connections: int | None = None) -> LoadMeasurement:
    return run(run_load(target, mix(target), profile, connections=connections))


def answered(measured: LoadMeasurement) -> dict[int, int]:
    """Responses by status."""
    found: dict[int, int] = {}
    for operation in measured.operations.values():
        for status, times in operation.statuses.items():
            found[status] = found.get(status, 0) + times
    return found


@secure_or_not
@any_model
def test_every_request_is_counted_once_by_both(
    nginx: Nginx, profile: Profile, secure: bool
) -> None:
    before = nginx.answered()
    measured = loaded(nginx.tls if secure else nginx.plain, profile)
    seen = nginx.answered() - before
    assert seen > 100  # more than one connection's worth, however busy the machine
    assert measured.sent == seen
    statuses = answered(measured)
    assert sum(statuses.values()) == seen
    assert set(statuses) == {200, 201, 503}
    assert sum(operation.errors for operation in measured.operations.values()) == statuses[503]
    assert not any(operation.failures for operation in measured.operations.values())


@secure_or_not
def test_too_few_connections_for_the_rate_lose_no_arrival(nginx: Nginx, secure: bool) -> None:
    before = nginx.answered()
    measured = loaded(nginx.tls if secure else nginx.plain, OPEN, connections=1)
    assert nginx.answered() - before == measured.sent == measured.offered == 500
    assert sum(answered(measured).values()) == 500


@pytest.mark.parametrize("profile", [CLOSED, OPEN], ids=["closed", "open"])
def test_shards_together_are_counted_as_one_server_saw_them(nginx: Nginx, profile: Profile) -> None:
    before = nginx.answered()
    parts = [loaded(nginx.plain, share_of(profile, number, 3)) for number in (1, 2, 3)]
    assert nginx.answered() - before == sum(part.sent for part in parts)
    if profile is OPEN:
        assert [part.sent for part in parts] == [167, 167, 166]


@pytest.mark.parametrize("profile", [CLOSED, OPEN], ids=["closed", "open"])
def test_two_processes_are_counted_as_one_server_saw_them(nginx: Nginx, profile: Profile) -> None:
    before = nginx.answered()
    measured = by_two_processes(nginx.plain, profile)
    assert nginx.answered() - before == measured.sent == measured.offered > 100
    assert sum(answered(measured).values()) == measured.sent
    assert measured.generator.processes == 2
    if profile is OPEN:
        assert measured.offered == 500


@pytest.mark.slow
def test_two_shards_of_two_processes_send_the_whole_schedule_and_the_whole_mix(
    nginx: Nginx,
) -> None:
    before = nginx.answered()
    shards = [
        by_two_processes(nginx.plain, POISSON, Shard(number=number, total=2)) for number in (1, 2)
    ]
    whole = merge_measurements(*shards)
    arrivals = sum(1 for _ in POISSON.offsets_ns())
    assert nginx.answered() - before == whole.sent == arrivals
    scenario = mix(nginx.plain)
    sent = [scenario.calls[index].operation for index in scenario.order()[:arrivals]]
    for name, operation in whole.operations.items():
        assert operation.requests == sent.count(name)
        parts = [shard.operations[name].response_time for shard in shards]
        assert operation.response_time == parts[0] + parts[1]
        assert dict(operation.response_time.counts) == {
            key: parts[0].counts.get(key, 0) + parts[1].counts.get(key, 0)
            for key in {*parts[0].counts, *parts[1].counts}
        }


def by_two_processes(
    target: Target, profile: Profile, shard: Shard | None = None
) -> LoadMeasurement:
    generators = divided(target, mix(target), profile, processes=2, shard=shard)
    return run(run_workers(generators, profile))
