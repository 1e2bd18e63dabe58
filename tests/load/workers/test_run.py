"""Several processes are one load, whatever happens to one of them."""

import asyncio
import socket
from functools import partial

import psutil
import pytest

from tests.load.breaking import exiting, failing
from tests.load.conftest import Api
from tests.load.engine.test_run import check_books, request
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import RunVoid, TargetUnreachable, UsageError
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement
from withstand.load.probe.process import ProcessProbe
from withstand.load.profile.profile import Closed, ConstantRate, Profile, share_of
from withstand.load.progress import Progress
from withstand.load.scenario.scenario import Plan, Scenario, scenario_from_requests
from withstand.load.workers.division import divided
from withstand.load.workers.messages import Generator
from withstand.load.workers.run import run_workers

LONG = ConstantRate(rate_per_s=200, duration_s=2)


def halves(target: Target, scenario: Scenario, profile: Profile) -> list[Generator]:
    return divided(target, scenario, profile, processes=2)


def counts_by_second(measured: LoadMeasurement) -> dict[int, int]:
    (operation,) = measured.operations.values()
    return {window.second: window.response_time.count for window in operation.windows}


def workers() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "withstand.load.workers.worker" in child.cmdline()
    ]


@pytest.mark.parametrize(
    "profile",
    [ConstantRate(rate_per_s=401, duration_s=1), Closed(users=5, duration_s=0.6)],
    ids=["open", "closed"],
)
def test_two_processes_count_what_the_server_counts_and_their_snapshots_add_up(
    api: Api, profile: Profile
) -> None:
    journal, seen_progress = Journal(), list[Progress]()
    generators = halves(api.target, api.scenario("/ok", "/ok?b"), profile)
    measured = run(
        run_workers(
            generators,
            profile,
            observer=seen_progress.append,
            report=journal.apply,
            probe=ProcessProbe(api.process.pid),
        )
    )
    seen = api.seen()
    check_books(measured)
    assert measured.sent == seen.requests > 100
    for operation in measured.operations.values():
        assert operation.statuses == {200: seen.paths[operation.operation.split(" ")[1]]}
    if isinstance(profile, ConstantRate):
        assert measured.offered == 401
        assert seen_progress[-1].completed > 0
    assert measured.profile == profile.describe()
    assert measured.generator.processes == 2
    assert (measured.generator.lost, measured.interrupted) == (None, False)
    assert len(measured.server_samples) >= 2, "sampled once, by the process that started the others"
    assert journal.measurement() == measured
    assert workers() == []


def test_a_process_that_is_killed_loses_no_second_it_had_reported_and_the_rest_goes_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a worker reports after a second is seen at once, and not when the next one begins.
    monkeypatch.setattr("withstand.load.workers.run._REPORT_S", 0.05)
    journal = Journal()
    reported: dict[int, int] = {}

    def kill_one_that_has_reported(snapshot: LoadMeasurement) -> None:
        journal.apply(snapshot)
        so_far = journal.measurement()
        assert so_far is not None
        if not reported and counts_by_second(so_far).get(0, 0) > 0.8 * LONG.rate_per_s:
            reported.update(counts_by_second(so_far))
            workers()[-1].kill()

    generators = halves(api.target, api.scenario("/ok"), LONG)
    measured = run(run_workers(generators, LONG, report=kill_one_that_has_reported))
    assert reported, "both had reported most of the first second"
    in_the_end = counts_by_second(measured)
    assert all(in_the_end[second] >= count for second, count in reported.items())
    later = sum(count for second, count in in_the_end.items() if second)
    assert later >= 100, "the other one goes on to the end"
    assert sum(in_the_end.values()) < LONG.rate_per_s * LONG.duration_s
    assert measured.duration_s == pytest.approx(LONG.duration_s)
    lost = measured.generator.lost or ""
    assert " of 2 was killed (SIGKILL) " in lost
    assert lost.endswith("and 50 % of the load with it")
    assert not measured.interrupted


def test_a_target_that_dies_under_two_processes_leaves_failures_and_loses_nothing(
    mortal_api: Api,
) -> None:
    profile = ConstantRate(rate_per_s=400, duration_s=0.8)
    scenario = scenario_from_requests(
        [
            Plan(operation="GET /ok", requests=(request("/ok"),), weight=60),
            Plan(operation="GET /die", requests=(request("/die"),)),
        ],
        mortal_api.target,
    )
    measured = run(run_workers(halves(mortal_api.target, scenario, profile), profile))
    check_books(measured)
    assert measured.offered == 320
    assert {kind for each in measured.operations.values() for kind in each.failures} <= {
        "refused",
        "reset",
    }
    assert sum(each.errors for each in measured.operations.values()) > 0
    assert measured.unanswered == 0
    assert measured.generator.lost is None


def test_a_stop_ends_all_processes_at_once_with_what_there_is(api: Api) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=3600)

    async def stopped() -> LoadMeasurement:
        stop = asyncio.Event()
        return await run_workers(
            halves(api.target, api.scenario("/ok"), profile),
            profile,
            observer=lambda _: stop.set(),
            stop=stop,
        )

    measured = run(stopped())
    assert measured.interrupted
    assert measured.generator.lost is None
    check_books(measured)
    assert measured.sent == api.seen().requests > 0


def test_a_load_that_is_wound_down_waits_for_its_answers_in_every_process(api: Api) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=3600)

    async def wound_down() -> LoadMeasurement:
        told = asyncio.Event()
        return await run_workers(
            halves(api.target, api.scenario("/ok"), profile),
            profile,
            observer=lambda _: told.set(),
            wind_down=told,
        )

    measured = run(wound_down())
    check_books(measured)
    assert not measured.interrupted
    assert measured.operations["GET /ok"].statuses == {200: measured.sent}
    assert measured.sent == api.seen().requests > 0


def test_an_error_in_one_process_ends_the_run_and_keeps_the_results(api: Api) -> None:
    profile = ConstantRate(rate_per_s=200, duration_s=3600)
    mix = api.scenario(*(f"/ok?{number}" for number in range(30)))
    well, _ = halves(api.target, mix, profile)
    broken = partial(failing, api.target, mix.part(2, 2), share_of(profile, 2, 2))
    measured = run(run_workers([well, broken], profile))
    assert measured.generator.lost is not None
    assert measured.generator.lost.startswith(
        "process 2 of 2 ended the run with RuntimeError (Unportable: ('the tank is empty', "
    )
    assert not measured.interrupted, "nobody did"
    check_books(measured)  # the last report of the one that failed is there to its last operation
    assert measured.sent == api.seen().requests > 100


def test_what_a_process_finds_wrong_before_the_load_is_raised_as_it_is() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target(scheme="http", host="127.0.0.1", port=unused.getsockname()[1])
        scenario = scenario_from_requests([("GET /", request("/"))], target)
        with pytest.raises(TargetUnreachable, match=r"nothing answers at http://127\.0\.0\.1"):
            run(run_workers(halves(target, scenario, LONG), LONG))
    assert workers() == []


def test_a_process_that_ends_before_the_load_voids_the_run(api: Api) -> None:
    well, _ = halves(api.target, api.scenario("/ok"), LONG)
    with pytest.raises(RunVoid, match="process 2 of 2 ended with exit code 7 before the load"):
        run(run_workers([well, exiting], LONG))
    assert api.seen().requests == 0
    assert workers() == []


def test_a_server_process_that_is_not_there_is_refused_before_any_is_started(api: Api) -> None:
    generators = halves(api.target, api.scenario("/ok"), LONG)
    with pytest.raises(UsageError, match="no process"):
        run(run_workers(generators, LONG, probe=ProcessProbe(2**22 + 1)))


def test_what_the_observer_raises_ends_the_run_and_the_processes(api: Api) -> None:
    def broken(progress: Progress) -> None:
        raise ZeroDivisionError(f"no terminal after {progress.completed}")

    with pytest.raises(ZeroDivisionError, match="no terminal"):
        run(run_workers(halves(api.target, api.scenario("/ok"), LONG), LONG, observer=broken))
    assert workers() == []
