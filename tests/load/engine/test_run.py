"""The engine against a real server in another process, on both event loops where it matters."""

import asyncio
import gc
import os
import resource
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import uvloop

from tests.load.conftest import Api
from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import TargetUnreachable, UsageError
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.probe.process import ProcessProbe
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.profile.rhythm import ThinkTime
from withstand.load.progress import Progress
from withstand.load.scenario.scenario import Plan, scenario_from_requests

MS = 1_000_000

both_models = pytest.mark.parametrize(
    "profile",
    [ConstantRate(rate_per_s=800, duration_s=0.2), Closed(users=5, duration_s=0.25)],
    ids=["open", "closed"],
)


def one(measurement: LoadMeasurement) -> OperationMeasurement:
    (operation,) = measurement.operations.values()
    return operation


def check_books(measurement: LoadMeasurement) -> None:
    """Every request is accounted for, once."""
    ended = sum(operation.requests for operation in measurement.operations.values())
    assert ended + measurement.unanswered == measurement.offered
    for operation in measurement.operations.values():
        assert operation.response_time.count == operation.requests
        assert operation.service_time.count == sum(operation.statuses.values())
        assert sum(window.response_time.count for window in operation.windows) == operation.requests
        assert sum(window.errors for window in operation.windows) == operation.errors
        assert operation.error_time.count == operation.errors


@pytest.mark.parametrize(
    "loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
@both_models
def test_what_it_counts_is_what_the_server_counts(
    api: Api, profile: Profile, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        measured = runner.run(run_load(api.target, api.scenario("/ok", "/ok?b"), profile))
    seen = api.seen()
    check_books(measured)
    assert measured.sent == seen.requests == sum(seen.paths.values())
    for operation in measured.operations.values():
        assert operation.statuses == {200: seen.paths[operation.operation.split(" ")[1]]}
        assert operation.errors == 0
    assert measured.unanswered == 0
    assert not measured.interrupted


def test_the_open_model_offers_exactly_its_schedule(api: Api) -> None:
    profile = ConstantRate(rate_per_s=800, duration_s=0.25)
    measured = run(run_load(api.target, api.scenario("/ok"), profile))
    assert measured.offered == measured.sent == 200
    assert measured.generator.send_lag.count == 200 - measured.late
    assert measured.model == "open"
    assert measured.profile == "800/s for 0.25 s"
    assert measured.duration_s == pytest.approx(0.25)


def test_connections_are_kept_alive_and_users_have_one_each(api: Api) -> None:
    measured = run(run_load(api.target, api.scenario("/ok"), Closed(users=4, duration_s=0.2)))
    seen = api.seen()
    assert seen.connections == 4 + 1  # the first look
    assert measured.sent > 4


def test_users_start_one_after_another(api: Api) -> None:
    think_time = ThinkTime(least_ns=60_000 * MS, most_ns=60_000 * MS)
    profile = Closed(users=10, duration_s=0.5, spawn_rate_per_s=10, rhythm=think_time)
    run(run_load(api.target, api.scenario("/ok"), profile))
    assert api.seen().connections == 5 + 1  # those of 0, 0.1, 0.2, 0.3 and 0.4 s, and a first look


def test_arrivals_do_not_come_in_bursts(api: Api) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=1.2)
    run(run_load(api.target, api.scenario("/ok"), profile))
    gaps_ms = [(b - a) / MS for a, b in pairwise(api.seen().arrivals_ns)]
    # An ideal generator has only gaps of 5 ms. One that fires in bursts has nearly none at any
    # time: nine requests in ten come back to back. A machine that is busy otherwise holds an ideal
    # one up, which then makes up for what was due: the stretch where it did so least is judged.
    stretches = [gaps_ms[start : start + 6] for start in range(len(gaps_ms) - 5)]
    quietest = max(stretches, key=statistics.median)
    assert statistics.median(quietest) > 2.5
    assert sum(gap < 0.5 for gap in quietest) < 0.5 * len(quietest)


@pytest.mark.parametrize("connections", [2, None])
def test_a_stalling_server_shows_in_response_time_whatever_the_pool(
    stalling_api: Api, connections: int | None
) -> None:
    """Stalled 0.3 s of every second: P(longer than x) = 0.3 - x, so p80 is 100 and p95 250 ms."""
    profile = ConstantRate(rate_per_s=250, duration_s=1.0)
    target, scenario = stalling_api.target, stalling_api.scenario("/ok")
    for _ in range(3):
        measured = run(run_load(target, scenario, profile, connections=connections))
        check_books(measured)
        times = one(measured).response_time
        # A machine that is busy otherwise adds to the times and takes nothing away.
        assert quantile_ms(times.quantile(0.8)) > 100 - 50
        assert quantile_ms(times.quantile(0.95)) > 250 - 60
        if quantile_ms(times.quantile(0.5)) < 0.5 * quantile_ms(times.quantile(0.8)):
            break
    else:
        pytest.fail("half of the requests were slow, three times over")
    if connections == 2:  # the clock from the send sees the two requests of each stall alone
        service_ms = quantile_ms(one(measured).service_time.quantile(0.95))
        assert service_ms < 0.5 * quantile_ms(times.quantile(0.95))
        assert measured.late > 40


def quantile_ms(value_ns: int | None) -> float:
    assert value_ns is not None
    return value_ns / MS


@both_models
def test_a_server_that_closes_each_connection_costs_connections_and_no_failures(
    api: Api, profile: Profile
) -> None:
    measured = run(run_load(api.target, api.scenario("/close"), profile))
    seen = api.seen()
    check_books(measured)
    assert one(measured).failures == {}
    assert one(measured).statuses == {200: seen.requests}
    assert seen.connections >= seen.requests


@pytest.mark.parametrize(
    "profile",
    [ConstantRate(rate_per_s=400, duration_s=0.6), Closed(users=5, duration_s=0.5)],
    ids=["open", "closed"],
)
def test_a_server_that_dies_leaves_failures_and_ends_the_run_in_time(
    mortal_api: Api, profile: Profile
) -> None:
    scenario = scenario_from_requests(
        [
            Plan(operation="GET /ok", requests=(request("/ok"),), weight=60),
            Plan(operation="GET /die", requests=(request("/die"),)),
        ],
        mortal_api.target,
    )
    measured = run(run_load(mortal_api.target, scenario, profile, timeout_s=2))
    check_books(measured)
    kinds = {kind for operation in measured.operations.values() for kind in operation.failures}
    assert "refused" in kinds
    assert kinds <= {"refused", "reset"}
    assert measured.unanswered == 0


def request(path: str) -> Request:
    return Request(method="GET", path=path)


@both_models
def test_a_request_without_an_answer_is_an_error_that_took_the_whole_timeout(
    api: Api, profile: Profile
) -> None:
    measured = run(run_load(api.target, api.scenario("/silent"), profile, timeout_s=0.1))
    check_books(measured)
    operation = one(measured)
    assert set(operation.failures) == {"timed-out"}
    assert operation.errors == operation.requests > 0
    assert quantile_ms(operation.response_time.minimum) >= 100


def test_arrivals_that_find_no_connection_wait_and_end_as_timeouts_but_are_never_dropped(
    api: Api,
) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=0.25)
    measured = run(
        run_load(api.target, api.scenario("/silent"), profile, timeout_s=0.1, connections=1)
    )
    assert measured.offered == 50 == one(measured).failures["timed-out"]
    assert measured.late > 40
    assert measured.sent < 20  # a fresh connection each time the one before timed out


def test_a_status_that_was_not_expected_is_an_error_and_an_expected_one_is_not(api: Api) -> None:
    scenario = scenario_from_requests(
        [
            Plan(operation="plain", requests=(request("/fail"),)),
            Plan(operation="wanted", requests=(request("/fail"),), expected=frozenset({500})),
        ],
        api.target,
    )
    profile = ConstantRate(rate_per_s=400, duration_s=0.1)
    measured = run(run_load(api.target, scenario, profile))
    check_books(measured)
    plain, wanted = measured.operations["plain"], measured.operations["wanted"]
    assert plain.unexpected == plain.errors == plain.statuses[500] > 0
    assert wanted.errors == 0 < wanted.statuses[500]


def test_variants_take_turns(api: Api) -> None:
    variants = tuple(request(f"/ok?user={name}") for name in ("ann", "bob", "cy"))
    scenario = scenario_from_requests([Plan(operation="GET /ok", requests=variants)], api.target)
    run(run_load(api.target, scenario, ConstantRate(rate_per_s=500, duration_s=0.15)))
    assert api.seen().paths == {f"/ok?user={name}": 25 for name in ("ann", "bob", "cy")}


def test_a_head_response_has_no_body_to_wait_for(api: Api) -> None:
    profile = ConstantRate(rate_per_s=300, duration_s=0.1)
    measured = run(run_load(api.target, api.scenario("/head", method="HEAD"), profile))
    assert one(measured).statuses == {200: 30}


@both_models
def test_a_stop_returns_what_there_is_at_once(api: Api, profile: Profile) -> None:
    async def stopped() -> LoadMeasurement:
        stop = asyncio.Event()

        def stop_once_some_wait(progress: Progress) -> None:
            if progress.elapsed_s > 0.2 and progress.in_flight > 1:
                stop.set()

        long = (
            ConstantRate(rate_per_s=100, duration_s=3600)
            if profile.model == "open"
            else Closed(users=3, duration_s=3600)
        )
        scenario = api.scenario("/ok", "/silent")
        return await run_load(api.target, scenario, long, stop=stop, observer=stop_once_some_wait)

    measured = run(stopped())
    check_books(measured)
    assert measured.interrupted
    assert measured.unanswered > 0
    assert measured.duration_s < 3600


def test_a_target_that_nobody_serves_ends_the_run_before_it_begins() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target(scheme="http", host="127.0.0.1", port=unused.getsockname()[1])
        scenario = scenario_from_requests([("GET /", request("/"))], target)
        with pytest.raises(TargetUnreachable, match=r"nothing answers at http://127\.0\.0\.1"):
            run(run_load(target, scenario, Closed(users=1, duration_s=1)))


def test_progress_is_reported_while_it_runs(api: Api) -> None:
    reports: list[Progress] = []
    profile = Closed(users=3, duration_s=0.4)
    run(run_load(api.target, api.scenario("/ok"), profile, observer=reports.append))
    first, last = next(each for each in reports if each.completed), reports[-1]
    assert 0 < first.elapsed_s < last.elapsed_s
    assert 0 < first.completed < last.completed
    assert first.users == 3
    assert first.rate_per_s > 0
    assert first.p50_ns is not None


def test_what_the_observer_raises_ends_the_run(api: Api) -> None:
    def broken(progress: Progress) -> None:
        raise RuntimeError(f"no terminal after {progress.completed}")

    with pytest.raises(RuntimeError, match="no terminal"):
        run(
            run_load(
                api.target,
                api.scenario("/ok"),
                ConstantRate(rate_per_s=50, duration_s=3600),
                observer=broken,
            )
        )


def held_up_once() -> Callable[[Progress], None]:
    """An observer that takes its time when it is first told something."""
    naps_s = [0.25]
    return lambda _: time.sleep(naps_s.pop() if naps_s else 0)


def test_a_generator_that_is_held_up_says_so(api: Api) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=0.4)
    scenario = api.scenario("/ok")
    measured = run(run_load(api.target, scenario, profile, observer=held_up_once()))
    assert measured.generator.saturated is None, "all was sent, if late"
    assert measured.generator.lagging is not None
    assert "late" in measured.generator.lagging
    assert measured.offered == measured.sent == 80


def test_a_generator_that_fell_behind_by_the_time_it_is_stopped_says_so(api: Api) -> None:
    async def stopped() -> LoadMeasurement:
        stop = asyncio.Event()
        scenario = api.scenario("/ok")
        # Far more than one process can send: most of it is overdue whenever it ends.
        profile = ConstantRate(rate_per_s=1_000_000, duration_s=3600)
        return await run_load(
            api.target,
            scenario,
            profile,
            stop=stop,
            connections=2,
            observer=lambda told: stop.set() if told.elapsed_s > 0.5 else None,
        )

    measured = run(stopped())
    check_books(measured)
    assert measured.interrupted
    assert measured.generator.saturated is not None
    assert "of the requests that were due" in measured.generator.saturated
    assert measured.offered == pytest.approx(measured.duration_s * 1_000_000, rel=0.01)


def test_the_servers_memory_is_sampled(api: Api) -> None:
    profile = ConstantRate(rate_per_s=50, duration_s=0.4)
    measured = run(
        run_load(api.target, api.scenario("/ok"), profile, probe=ProcessProbe(api.process.pid))
    )
    assert len(measured.server_samples) >= 2
    assert all((sample.rss_bytes or 0) > 1_000_000 for sample in measured.server_samples)


def test_a_process_that_is_not_there_is_refused_before_anything_is_sent(api: Api) -> None:
    profile = ConstantRate(rate_per_s=50, duration_s=1)
    with pytest.raises(UsageError, match="no process"):
        run(run_load(api.target, api.scenario("/ok"), profile, probe=ProcessProbe(2**22 + 1)))
    assert api.seen().requests == 0


def test_pauses_of_the_garbage_collector_are_counted(api: Api) -> None:
    def collect(_: Progress) -> None:
        gc.collect()

    profile = ConstantRate(rate_per_s=50, duration_s=0.2)
    measured = run(run_load(api.target, api.scenario("/ok"), profile, observer=collect))
    assert measured.generator.gc_pauses.count >= 1
    assert (measured.generator.gc_pauses.maximum or 0) > 0
    callbacks = len(gc.callbacks)
    run(run_load(api.target, api.scenario("/ok"), Closed(users=1, duration_s=0.1)))
    assert len(gc.callbacks) == callbacks


def test_users_whose_answers_wait_for_a_held_up_generator_say_so(api: Api) -> None:
    profile = Closed(users=2, duration_s=0.4)
    measured = run(run_load(api.target, api.scenario("/ok"), profile, observer=held_up_once()))
    assert "held up" in (measured.generator.lagging or "")


def test_the_garbage_collector_is_left_as_it_was(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("freeze", "unfreeze"):
        monkeypatch.setattr(gc, name, partial(done.append, name))
    before = gc.get_threshold()
    run(run_load(api.target, api.scenario("/ok"), Closed(users=1, duration_s=0.1)))
    assert gc.get_threshold() == before
    assert done == ["freeze", "unfreeze"]


@contextmanager
def few_descriptors(monkeypatch: pytest.MonkeyPatch, spare: int) -> Iterator[None]:
    """A process that may open only a few more files, and may not raise its limit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr("withstand.load.engine.run.roomy_descriptors", nullcontext)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors() + spare, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_rate_without_descriptors_blames_the_generator(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = ConstantRate(rate_per_s=800, duration_s=0.3)
    with few_descriptors(monkeypatch, 25):
        measured = run(run_load(api.target, api.scenario("/silent"), profile, timeout_s=0.5))
    assert "ulimit" in (measured.generator.saturated or "")
    assert "exhausted" not in one(measured).failures
    check_books(measured)


def test_users_without_descriptors_blame_the_generator(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Closed(users=40, duration_s=0.3)
    with ExitStack() as held:
        for _ in range(100):  # what the engine cannot know of
            held.enter_context(Path(os.devnull).open("rb"))
        held.enter_context(few_descriptors(monkeypatch, 25))
        measured = run(run_load(api.target, api.scenario("/silent"), profile, timeout_s=0.5))
    assert "ulimit" in (measured.generator.saturated or "")
    assert "exhausted" not in one(measured).failures
    check_books(measured)


def test_more_users_than_files_may_be_open_are_refused_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        few_descriptors(monkeypatch, 25),
        pytest.raises(UsageError, match="400 users need a connection each"),
    ):
        run(run_load(api.target, api.scenario("/ok"), Closed(users=400, duration_s=1)))
    assert api.seen().requests == 0


def test_the_limit_of_open_files_is_raised_for_the_run_alone(api: Api) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors() + 25, before[1]))
        lowered = resource.getrlimit(resource.RLIMIT_NOFILE)
        measured = run(run_load(api.target, api.scenario("/ok"), Closed(users=60, duration_s=0.3)))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == lowered
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert measured.generator.saturated is None
    assert measured.generator.descriptors is not None
    assert measured.generator.descriptors >= 60
    assert measured.generator.descriptor_limit == before[1]


def open_descriptors() -> int:
    return psutil.Process().num_fds()


def test_no_descriptor_is_left_open(api: Api) -> None:
    before = open_descriptors()
    for profile in (Closed(users=20, duration_s=0.1), ConstantRate(rate_per_s=100, duration_s=0.1)):
        run(run_load(api.target, api.scenario("/ok"), profile))
    assert open_descriptors() <= before  # fewer, where an earlier test's server was just ending


@pytest.mark.parametrize(
    "profile",
    [ConstantRate(rate_per_s=400, duration_s=600), Closed(users=5, duration_s=600)],
    ids=["open", "closed"],
)
def test_a_load_that_winds_down_sends_no_more_but_waits_for_the_answers(
    api: Api, profile: Profile
) -> None:
    async def until_told() -> LoadMeasurement:
        told = asyncio.Event()
        return await run_load(
            api.target,
            api.scenario("/ok"),
            profile,
            wind_down=told,
            observer=lambda progress: told.set() if progress.completed else None,
        )

    measured = run(until_told())
    check_books(measured)
    assert measured.sent == one(measured).requests == api.seen().requests
    assert one(measured).errors == 0
    assert not measured.interrupted


def test_what_waits_for_a_connection_when_a_load_winds_down_is_not_sent(api: Api) -> None:
    async def until_told() -> LoadMeasurement:
        told = asyncio.Event()
        return await run_load(
            api.target,
            api.scenario("/silent"),
            ConstantRate(rate_per_s=500, duration_s=600),
            connections=1,
            timeout_s=0.3,
            wind_down=told,
            observer=lambda progress: told.set() if progress.queued else None,
        )

    measured = run(until_told())
    check_books(measured)
    assert measured.unanswered > 0
    assert measured.sent == api.seen().requests < 10
    assert measured.generator.saturated is None
