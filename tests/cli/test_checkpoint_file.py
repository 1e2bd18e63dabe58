"""A checkpoint holds what was measured up to its last line, whatever then happened."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.load.test_journal import snapshot, window
from withstand.cli.checkpoint_file import CheckpointFile
from withstand.errors import RunVoid, UsageError
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement, ServerSample
from withstand.results import Results
from withstand.results_file import read_results
from withstand.slo import SoakRules

SECONDS = 200


def results_of(load: LoadMeasurement | None, *, interrupted: bool = True) -> Results:
    return Results(
        started_at=1.0,
        duration_s=load.duration_s if load is not None else 0.0,
        version="1",
        command="withstand soak",
        base_url="http://127.0.0.1",
        load=load,
        soak=SoakRules(),
        interrupted=interrupted,
    )


def reported(second: int) -> Results:
    """The snapshot of a second: its window, and the one before once more."""
    windows = [window(each, *range(1, each + 2)) for each in (second - 1, second) if each >= 0]
    load = replace(
        snapshot(*windows, sent=second + 1, bytes_sent=10 * (second + 1)),
        duration_s=second + 1.0,
        server_samples=(ServerSample(at_s=float(second), rss_bytes=second),),
    )
    return results_of(load)


def whole(seconds: int) -> LoadMeasurement | None:
    journal = Journal()
    for second in range(seconds):
        load = reported(second).load
        assert load is not None
        journal.apply(load)
    return journal.measurement()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "soak" / "checkpoint.jsonl"


def test_a_run_to_its_end_is_read_as_it_was_measured(path: Path) -> None:
    with CheckpointFile(path) as checkpoint:
        for second in range(SECONDS):
            checkpoint.note(reported(second))
        checkpoint.end(replace(results_of(whole(SECONDS)), interrupted=False, duration_s=201.5))

    found = read_results(path)
    assert found == replace(results_of(whole(SECONDS), interrupted=False), duration_s=201.5)
    assert 3 <= len(path.read_text().splitlines()) <= 6, "one a minute, and the last"


def test_a_run_that_ends_right_after_a_line_was_written_is_no_interruption(path: Path) -> None:
    with CheckpointFile(path) as checkpoint:
        checkpoint.note(reported(0))
        checkpoint.end(replace(results_of(whole(1)), interrupted=False, duration_s=1.5))

    assert read_results(path) == replace(results_of(whole(1), interrupted=False), duration_s=1.5)


def test_while_it_runs_all_but_the_last_minute_is_there_and_said_to_be_interrupted(
    path: Path,
) -> None:
    with CheckpointFile(path) as checkpoint:
        for second in range(SECONDS):
            checkpoint.note(reported(second))
            if checkpoint._writing is not None:
                checkpoint._writing.result(20)  # a real second is longer than a write
        found = read_results(path)

    assert found.interrupted
    assert found.load is not None
    assert found.load.duration_s >= SECONDS - 60
    assert found.load == whole(round(found.load.duration_s))


def test_a_run_that_ends_in_an_error_is_kept_to_its_last_second(path: Path) -> None:
    def cut_off() -> None:
        with CheckpointFile(path) as checkpoint:
            for second in range(90):
                checkpoint.note(reported(second))
            raise RunVoid("the server is gone")

    with pytest.raises(RunVoid):
        cut_off()

    found = read_results(path)
    assert found.load == whole(90)
    assert found.interrupted


@pytest.mark.parametrize("share", [0.999, 0.9, 0.6])
def test_a_last_line_that_is_torn_costs_no_more_than_itself(path: Path, share: float) -> None:
    with CheckpointFile(path) as checkpoint:
        for second in range(SECONDS):
            checkpoint.note(reported(second))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    found = read_results(path)

    assert found.load is not None
    assert found.load == whole(round(found.load.duration_s))
    assert found.load.duration_s < SECONDS


def test_what_is_damaged_in_the_middle_is_refused_with_its_line(path: Path) -> None:
    with CheckpointFile(path) as checkpoint:
        for second in range(SECONDS):
            checkpoint.note(reported(second))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-20], *lines[2:]]) + "\n")

    with pytest.raises(UsageError, match="line 2 of"):
        read_results(path)


def test_an_empty_checkpoint_is_no_results_file(path: Path) -> None:
    CheckpointFile(path).__exit__(None, None, None)

    with pytest.raises(UsageError, match="no Withstand results file"):
        read_results(path)


def test_the_checkpoint_of_an_earlier_run_is_kept_beside_it(path: Path) -> None:
    for seconds in (3, 5):
        with CheckpointFile(path) as checkpoint:
            for second in range(seconds):
                checkpoint.note(reported(second))

    assert read_results(path).load == whole(5)
    assert read_results(path.with_name("checkpoint.jsonl.previous")).load == whole(3)


def test_a_folder_that_cannot_be_made_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "soak").write_text("a file")

    with pytest.raises(UsageError, match="cannot be written"):
        CheckpointFile(tmp_path / "soak" / "checkpoint.jsonl")


def test_a_full_disk_is_said_and_what_it_refused_is_written_when_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, calls = os.fsync, iter(range(10))

    def full_once(descriptor: int) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full_once)
    with CheckpointFile(path) as checkpoint:
        for second in range(SECONDS):
            checkpoint.note(reported(second))
            if checkpoint._writing is not None and second % 10 == 9:
                checkpoint._writing.exception(20)

    assert checkpoint.trouble is not None
    assert "No space left" in checkpoint.trouble
    assert read_results(path).load == whole(SECONDS)
