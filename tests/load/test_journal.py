"""Snapshots add up to the measurement, whenever the last one comes."""

from dataclasses import replace

from tests.load.engine.test_run import both_models
from withstand.client.loop import run
from withstand.load.engine.run import run_load
from withstand.load.journal import Journal
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.window import Window
from withstand.stats.histogram import Histogram

from .conftest import Api

BEFORE = LoadMeasurement(
    model="open",
    profile="1/s for 99 s",
    started_at=0.0,
    duration_s=0.0,
    offered=0,
    sent=0,
    late=0,
    unanswered=0,
    operations={},
    generator=GeneratorHealth(cpu_share=0.0, send_lag=Histogram()),
)


def snapshot(*windows: Window, sent: int = 0, bytes_sent: int = 0) -> LoadMeasurement:
    operation = OperationMeasurement(operation="GET /", windows=windows, bytes_sent=bytes_sent)
    return replace(BEFORE, operations={"GET /": operation}, sent=sent)


def window(second: int, *times: int) -> Window:
    return Window(second=second, response_time=Histogram(times))


def test_a_journal_without_snapshots_has_no_measurement() -> None:
    assert Journal().measurement() is None
    assert Journal().windows_since(0) == {}


def test_a_window_that_is_reported_again_replaces_the_earlier_one() -> None:
    journal = Journal()
    journal.apply(snapshot(window(0, 5), sent=1, bytes_sent=10))
    journal.apply(snapshot(window(0, 5, 6), window(1, 7), sent=3, bytes_sent=30))
    measured = journal.measurement()
    assert measured is not None
    operation = measured.operations["GET /"]
    assert operation.response_time == Histogram([5, 6, 7])
    assert (measured.sent, operation.bytes_sent) == (3, 30)


def test_old_windows_are_kept_whether_or_not_they_are_reported_again() -> None:
    journal = Journal()
    for second in range(200):
        journal.apply(snapshot(window(second, second)))
    journal.apply(snapshot(window(3, 3, 4)))
    measured = journal.measurement()
    assert measured is not None
    assert measured.operations["GET /"].response_time == Histogram([*range(200), 4])
    recent = journal.windows_since(150)["GET /"]
    assert [each.second for each in recent] == list(range(150, 200))
    (third,) = (each for each in journal.windows_since(0)["GET /"] if each.second == 3)
    assert third.response_time == Histogram([3, 4])


def test_server_samples_of_all_snapshots_are_kept() -> None:
    journal = Journal()
    for at_s in (1.0, 2.0):
        journal.apply(
            replace(BEFORE, server_samples=(ServerSample(at_s=at_s, rss_bytes=int(at_s)),))
        )
    measured = journal.measurement()
    assert measured is not None
    assert [sample.at_s for sample in measured.server_samples] == [1.0, 2.0]


@both_models
def test_the_snapshots_of_a_run_add_up_to_its_measurement(api: Api, profile: Profile) -> None:
    journal = Journal()
    longer = (
        replace(profile, duration_s=1.1) if isinstance(profile, Closed | ConstantRate) else profile
    )
    measured = run(run_load(api.target, api.scenario("/ok", "/fail"), longer, report=journal.apply))
    assert journal.measurement() == measured
