"""What several processes reported is one load, and what is gone is said."""

from dataclasses import replace

from tests.load.test_journal import BEFORE, window
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.progress import Progress
from withstand.load.window import Window
from withstand.load.workers.crew import Crew
from withstand.stats.histogram import Histogram

PROGRESS = Progress(
    elapsed_s=1.0,
    duration_s=9.0,
    completed=100,
    errors=1,
    rate_per_s=50.0,
    p50_ns=1,
    p95_ns=2,
    in_flight=3,
    queued=4,
)


def snapshot(*windows: Window, name: str = "GET /", sent: int = 0) -> LoadMeasurement:
    operation = OperationMeasurement(operation=name, windows=windows, bytes_sent=10 * sent)
    return replace(BEFORE, operations={name: operation}, sent=sent, profile="a share")


def crew_of_two() -> Crew:
    return Crew(profile="the whole", size=2)


def test_before_the_first_word_there_is_nothing() -> None:
    crew = crew_of_two()
    assert (crew.measurement(), crew.snapshot(), crew.progress(), crew.lost) == (None,) * 4


def test_the_measurement_is_the_sum_of_the_processes() -> None:
    crew = crew_of_two()
    crew.apply(1, snapshot(window(0, 5, 6), sent=2))
    crew.apply(2, snapshot(window(0, 7), sent=1))
    crew.apply(1, snapshot(window(0, 5, 6), window(1, 8), sent=3))
    whole = crew.measurement()
    assert whole is not None
    operation = whole.operations["GET /"]
    assert operation.response_time == Histogram([5, 6, 7, 8])
    assert [each.response_time.count for each in operation.windows] == [3, 1]
    assert (whole.sent, operation.bytes_sent) == (4, 40)
    assert whole.profile == "the whole"
    assert whole.generator.processes == 2


def test_snapshots_of_the_whole_add_up_to_it() -> None:
    crew, journal = crew_of_two(), Journal()
    steps = [
        (1, snapshot(window(0, 5), sent=1)),
        (2, snapshot(window(0, 6), window(1, 9), sent=2)),
        (2, snapshot(window(1, 1), name="GET /b", sent=3)),
        (1, snapshot(window(1, 7, 7), sent=3)),
        (1, snapshot(window(0, 5, 5), sent=4)),  # an answer that was long in coming
    ]
    for number, reported in steps:
        crew.apply(number, reported)
        part = crew.snapshot()
        assert part is not None
        journal.apply(part)
    assert journal.measurement() == crew.measurement()
    last = crew.snapshot()
    assert last is not None
    assert [each.windows for each in last.operations.values()] == [(), ()], "nothing is new"


def test_a_snapshot_reaches_as_far_as_the_slowest_process_that_still_runs() -> None:
    crew = Crew(profile="the whole", size=3)
    for number, reached_s in ((1, 2.0), (2, 1.0), (3, 0.5)):
        crew.apply(number, replace(snapshot(window(0, 5)), duration_s=reached_s))
    crew.lose(3, "was killed (SIGKILL)", 0.7)
    part, last, whole = crew.snapshot(), crew.snapshot(last=True), crew.measurement()
    assert part is not None
    assert last is not None
    assert whole is not None
    assert (part.duration_s, last.duration_s, whole.duration_s) == (1.0, 2.0, 2.0)


def test_a_process_that_is_gone_leaves_what_it_reported_and_a_reason() -> None:
    crew = crew_of_two()
    crew.apply(1, snapshot(window(0, 5)))
    crew.apply(2, snapshot(window(0, 6)))
    crew.lose(2, "was killed (SIGKILL)", 1.25)
    crew.apply(1, snapshot(window(1, 7)))
    whole = crew.measurement()
    assert whole is not None
    assert whole.operations["GET /"].response_time == Histogram([5, 6, 7])
    assert whole.generator.lost == (
        "process 2 of 2 was killed (SIGKILL) 1.25 s after the start, and 50 % of the load with it"
    )
    assert whole.generator.processes == 2


def test_progress_adds_up_once_every_process_has_said_something() -> None:
    crew = crew_of_two()
    crew.progressed(1, PROGRESS)
    assert crew.progress() is None
    crew.progressed(2, replace(PROGRESS, elapsed_s=1.5, completed=7))
    crew.apply(1, snapshot(window(0, 100), window(1, 1, 1, 1)))
    crew.apply(2, snapshot(window(5, 9)))
    crew.apply(2, snapshot(window(0, 50), window(5, 9)))  # the old one is not recent
    assert crew.progress() == Progress(
        elapsed_s=1.5,
        duration_s=9.0,
        completed=107,
        errors=2,
        rate_per_s=100.0,
        p50_ns=1,
        p95_ns=100,
        in_flight=6,
        queued=8,
        users=None,
    )


def test_the_progress_of_a_process_that_is_gone_keeps_its_counts_alone() -> None:
    crew = crew_of_two()
    crew.progressed(1, replace(PROGRESS, users=2))
    crew.progressed(2, replace(PROGRESS, users=2))
    crew.lose(2, "was killed (SIGKILL)", 1.25)
    progress = crew.progress()
    assert progress is not None
    assert (progress.completed, progress.errors) == (200, 2)
    assert (progress.rate_per_s, progress.in_flight, progress.queued) == (50.0, 3, 4)
    assert progress.users == 2


def test_several_saturated_processes_say_so_once() -> None:
    crew = Crew(profile="the whole", size=3)
    for number, reason in ((1, "busy: 97 %"), (2, None), (3, "busy: 99 %")):
        reported = snapshot(window(0, 5))
        crew.apply(
            number,
            replace(reported, generator=replace(reported.generator, saturated=reason)),
        )
    whole = crew.measurement()
    assert whole is not None
    assert whole.generator.saturated == "busy: 97 % (and so for 1 more of its processes)"
