"""A load from several processes and machines, by the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import Invoke
from tests.load.conftest import Api, api_process
from tests.load.test_shards import shard
from withstand.cli.distribution import start_at_s
from withstand.errors import UsageError
from withstand.results import Results
from withstand.results_file import write_results

NOON = datetime(2027, 6, 30, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[Api]:
    with api_process() as process:
        yield Api(process)


def started(folder: Path, api: Api, *arguments: str) -> "subprocess.Popen[str]":
    """`withstand load` in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        [
            *(sys.executable, "-c", "from withstand.cli import main; main()", "load"),
            *(f"{api.target.base_url}/ok", *arguments),
        ],
        cwd=folder,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until_it_sends(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("load:"), said + process.stderr.read()


def loaded(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())["load"]
    return document


@pytest.mark.slow
def test_ctrl_c_ends_every_process_and_loses_nothing(folder: Path, api: Api) -> None:
    with started(
        folder, api, "--rate", "200", "-t", "10m", "--processes", "2", "--json", "run.json"
    ) as process:
        until_it_sends(process)
        workers = psutil.Process(process.pid).children()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert not any(worker.is_running() for worker in workers)
    run = loaded(folder / "run.json")
    assert (run["interrupted"], run["generator"]["processes"]) == (True, 2)
    assert run["generator"]["lost"] is None
    assert run["sent"] == api.seen().requests > 0
    answered = run["operations"]["GET /ok"]["statuses"]["200"]
    # Of what was due, the last may still have waited for a connection.
    assert answered + run["unanswered"] == run["offered"]
    assert answered <= run["sent"]


@pytest.mark.slow
def test_the_processes_of_a_command_that_is_killed_end_as_well(folder: Path, api: Api) -> None:
    with started(folder, api, "--rate", "50", "-t", "10m", "--processes", "2") as process:
        until_it_sends(process)
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.kill()
        gone, alive = psutil.wait_procs(workers, timeout=30)
        process.communicate(timeout=60)
    assert len(gone) == 2, alive


@pytest.mark.slow
def test_two_shards_that_begin_together_are_the_whole(
    folder: Path, api: Api, invoke: Invoke
) -> None:
    flags = ("--rate", "101/s", "-t", "1s", "--slo", "rps>100")
    for lead_s in (2, 8, 32):  # a busy machine may take long to start two programs
        start = str(int(time.time()) + lead_s)
        both = [
            started(
                *(folder, api, *flags, "--start-at", start),
                *("--shard", f"{number}/2", "--json", f"{number}.json"),
            )
            for number in (1, 2)
        ]
        said = [process.communicate(timeout=60) for process in both]
        if [process.returncode for process in both] == [0, 0]:
            break
        assert "give a later start" in str(said) or "to come" in str(said), said
    assert "of which shard 1/2" in said[0][0]
    assert "shard 1/2 alone cannot show a rate" in " ".join(said[0][0].split())

    merged = invoke("merge", "2.json", "1.json", "-o", "whole.json", "--html", "whole.html")

    assert merged.code == 0, merged.said
    assert "101/s for 1 s in 2 shards" in merged.said
    assert "in 2 shards" in (folder / "whole.html").read_text()
    whole = loaded(folder / "whole.json")
    assert (whole["offered"], whole["sent"]) == (101, 101)
    assert whole["operations"]["GET /ok"]["statuses"] == {"200": 101}
    assert [window["second"] for window in whole["operations"]["GET /ok"]["windows"]] == [0]
    assert whole["started_at"] == pytest.approx(float(start), abs=0.1)
    assert whole["generator"]["lost"] is None
    assert [each["number"] for each in whole["shards"]] == [1, 2]
    assert invoke("report", "whole.json").code == 0
    assert api.seen().requests >= 101


def stored(folder: Path, name: str, load: Any) -> str:
    results = Results(
        started_at=100.0,
        duration_s=10.0,
        version="1",
        command=f"withstand load {name}",
        base_url="http://127.0.0.1:8000",
        load=load,
    )
    write_results(folder / name, results)
    return name


def test_a_merge_without_a_shard_says_so_and_is_void(folder: Path, invoke: Invoke) -> None:
    files = [stored(folder, f"{number}.json", shard(number)) for number in (1, 2)]
    merged = invoke("merge", *files)
    assert merged.code == 3
    assert "shard 3/3 is missing" in merged.said


def test_a_merge_of_shards_that_began_apart_says_so_and_is_void(
    folder: Path, invoke: Invoke
) -> None:
    files = [
        stored(folder, "1.json", shard(1, 2)),
        stored(folder, "2.json", shard(2, 2, started_at=102.0)),
    ]
    merged = invoke("merge", *files)
    assert merged.code == 3
    assert "shard 2/2 began 2.00 s after the first one" in merged.said


def test_what_is_no_set_of_shards_is_refused_in_one_sentence(folder: Path, invoke: Invoke) -> None:
    one, two = (stored(folder, f"{n}.json", shard(n, 2)) for n in (1, 2))
    whole = stored(folder, "whole.json", replace(shard(1), shards=()))
    other = stored(folder, "other.json", replace(shard(2, 2), profile="2/s for 99 s"))
    closed = stored(folder, "closed.json", replace(shard(2, 2), model="closed"))
    for files, sentence in (
        ((one,), "1.json alone is nothing to merge"),
        ((one, two, one), "shard 1/2 is there twice"),
        ((one, whole), "a whole load is no shard"),
        ((whole, whole), "a whole load is no shard"),
        ((one, other), "shards of different loads cannot be merged"),
        ((one, closed), "the open model cannot be merged with one of the closed"),
    ):
        refused = invoke("merge", *files)
        assert refused.code == 2, files
        assert sentence in refused.said


def test_more_processes_than_users_and_shards_that_are_none_are_refused(
    folder: Path, invoke: Invoke
) -> None:
    url = "http://127.0.0.1:9/"
    for flags, sentence in (
        (("-u", "3", "--processes", "4"), "4 processes cannot share 3 users"),
        (("--shard", "3/2"), "shard 3 of 2 does not exist"),
        (("--shard", "half"), "'half' is no shard"),
        (("--start-at", "1000000000"), "s ago"),
    ):
        refused = invoke("load", url, *flags)
        assert refused.code == 2
        assert sentence in refused.said


def test_the_users_of_a_locustfile_are_not_divided_by_us(folder: Path, invoke: Invoke) -> None:
    (folder / "locustfile.py").write_text("from locust import HttpUser\n")
    for part in (("--shard", "1/2"), ("--shard=1/2",)):
        refused = invoke("load", "-f", "locustfile.py", "-H", "http://127.0.0.1:9", *part)
        assert refused.code == 2
        assert "the users of a locustfile are Locust's to divide" in refused.said


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-06-30T12:00:10Z", 10),
        ("2027-06-30T14:01:00+02:00", 60),
        (f"{NOON.timestamp() + 2.5}", 2.5),
    ],
)
def test_a_moment_is_read_in_every_form(text: str, seconds: float) -> None:
    assert start_at_s(text, NOON) - NOON.timestamp() == seconds


def test_a_time_of_day_is_the_next_one_on_the_local_clock() -> None:
    local = NOON.astimezone()
    soon, before = local.replace(second=30), local.replace(minute=0, second=0)
    assert start_at_s(soon.strftime("%H:%M:%S"), NOON) - NOON.timestamp() == 30
    assert start_at_s(before.strftime("%H:%M"), NOON) - NOON.timestamp() == 24 * 3600


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2027-06-30T11:59:48Z", "was 12.0 s ago"),
        ("2027-06-30T13:00:00", "does not say in which time zone"),
        ("25:00", "is no time of day"),
        ("soon", "'soon' is no moment"),
        ("12", "'12' is no moment"),
    ],
)
def test_what_is_no_moment_or_past_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        start_at_s(text, NOON)
