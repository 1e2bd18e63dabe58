"""Runs that come to nothing leave a report that says so, and a merge that knows of them is void."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.load.test_shards import shard as load_shard
from tests.scan.records.test_share import CHECKS, in_shards
from tests.sharding.test_suite import shard as suite_shard
from tests.test_results_file import PLAIN
from withstand.results import Results
from withstand.results_file import read_results, write_results
from withstand.sharding import Shard

from .hostile_server import answer, serving

_NOBODY = "does not answer (refused"
_DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Frail", "version": "1"},
    "paths": {"/items": {"get": {"responses": {"200": {"description": "items"}}}}},
}


@pytest.fixture
def nobody() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _suites(folder: Path, total: int = 4) -> None:
    for number in range(1, total + 1):
        results = replace(PLAIN, base_url="", suite=suite_shard(number, total))
        write_results(folder / str(number) / "suite" / "results.json", results)


@pytest.mark.parametrize("verb", ["check", "scan", "access", "load"])
def test_a_shard_whose_api_does_not_answer_leaves_a_void_report_that_names_it(
    invoke: Invoke, nobody: str, verb: str
) -> None:
    ended = invoke(verb, "-q", "-H", nobody, "--shard", "2/4", "--report-dir", "left")

    assert ended.code == 3
    assert _NOBODY in ended.err
    shown = invoke("report", "left/results.json")
    assert shown.code == 3
    assert f"withstand {verb} of shard 2/4 came to nothing: {nobody} {_NOBODY}" in shown.said
    assert "of shard 2/4 came to nothing" in Path("left/report.html").read_text()


@pytest.mark.parametrize("left", [(1, 2, 3, 4), (3,)])
def test_a_merge_is_void_where_the_api_of_some_or_all_jobs_did_not_start(
    invoke: Invoke, folder: Path, nobody: str, left: tuple[int, ...]
) -> None:
    _suites(folder)
    for number in left:
        invoke(
            *("check", "-q", "-H", nobody, "--shard", f"{number}/4"),
            *("--report-dir", f"{number}/check"),
        )

    merged = invoke("merge", "1", "2", "3", "4", "-o", "whole.json", "--junit", "whole.xml")

    assert merged.code == 3
    names = ", ".join(f"{number}/4" for number in left)
    shards = f"shard{'s' if len(left) > 1 else ''} {names}"
    assert f"withstand check of {shards} came to nothing: {nobody} {_NOBODY}" in merged.said
    assert merged.said.count(_NOBODY) == 2, "the verdict is printed first and last"
    assert 'name="the run is void"' in Path("whole.xml").read_text()
    assert invoke("report", "whole.json").code == 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("scan", "no.yaml", "-H", "http://127.0.0.1:9"), "no.yaml"),
        (("check", "--config", "no.toml"), "no.toml"),
        (("check", "-H", "http://elsewhere.test"), "elsewhere.test"),
        (("stress", "-H", "http://127.0.0.1:9", "--slo", "p95<"), "p95<"),
    ],
)
def test_a_run_that_its_files_or_options_keep_from_beginning_leaves_the_error_as_its_report(
    invoke: Invoke, arguments: tuple[str, ...], reason: str
) -> None:
    ended = invoke(*arguments, "-q", "--report-dir", "left")

    assert ended.code == 2
    assert reason in ended.err
    (void,) = read_results(Path("left/results.json")).void_runs
    assert (void.verb, void.shard) == (arguments[0], None)
    assert reason in void.reason
    assert f"withstand {arguments[0]} came to nothing" in Path("left/report.html").read_text()


def test_an_error_of_withstand_itself_is_in_the_report_too(
    invoke: Invoke, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("withstand.cli.scan.scan_plan", broken)
    monkeypatch.setattr("withstand.cli.scan.api_for", lambda *_: None)

    assert invoke("scan", "-H", nobody, "--json", "left.json").code == 4
    (void,) = read_results(Path("left.json")).void_runs
    assert void.reason == "withstand itself failed: ZeroDivisionError: by nought"


def test_results_that_are_there_already_are_never_replaced_by_a_later_error(
    invoke: Invoke, folder: Path
) -> None:
    """`access` without an approved file shows its matrix, then refuses one that is not whole."""
    (folder / "api.json").write_text(json.dumps(_DOCUMENT))
    with serving(lambda connection, _: answer(connection, 503)) as url:
        ended = invoke("access", "-q", "api.json", "-H", url, "--json", "left.json")

    assert ended.code == 3, ended.said
    assert "did not come to its end" in ended.err
    kept = read_results(Path("left.json"))
    assert (kept.void_runs, kept.scan is not None) == ((), True)


def _left(folder: Path, name: str, results: Results) -> None:
    write_results(folder / f"{name}.json", results)


def test_a_shard_that_came_to_nothing_and_is_there_with_results_as_well_is_refused(
    invoke: Invoke, folder: Path, nobody: str
) -> None:
    for number, record in enumerate(in_shards(2, *CHECKS), start=1):
        _left(folder, f"scan-{number}", replace(PLAIN, base_url=nobody, scan=record))
        measured = load_shard(number, 2)
        _left(folder, f"load-{number}", replace(PLAIN, base_url=nobody, load=measured))
    for verb in ("check", "load"):
        for shard in ("2/2", "3/3"):
            name = f"void-{verb}-{shard[0]}.json"
            invoke(verb, "-q", "-H", nobody, "--shard", shard, "--json", name)

    refused = {
        ("scan-1.json", "scan-2.json", "void-check-2.json"): "shard 2/2 is there twice",
        ("load-1.json", "load-2.json", "void-load-2.json"): "shard 2/2 is there twice",
        ("scan-1.json", "void-check-3.json"): "parts of 3 and of 2",
        ("void-check-2.json", "void-check-3.json"): "parts of 3 and of 2",
    }
    for files, why in refused.items():
        merged = invoke("merge", *files)
        assert (merged.code, why in merged.said) == (2, True), merged.said


@pytest.mark.parametrize(
    ("lives", "said"),
    [
        (lambda asked: len(asked) < 5, "stopped answering"),
        (lambda asked: asked.count("/") < 2, "the scan of shard 1/2 came to nothing"),
    ],
    ids=["in its trials", "between trials and scan"],
)
def test_a_shard_whose_api_dies_is_merged_with_the_others(
    invoke: Invoke, folder: Path, lives: Callable[[list[str]], bool], said: str
) -> None:
    (folder / "api.json").write_text(json.dumps(_DOCUMENT))
    asked: list[str] = []
    dying = [False]

    def behave(connection: socket.socket, path: str) -> None:
        asked.append(path)
        if not dying[0] or lives(asked):  # trials and scan begin with a look at /
            answer(connection, 200, b"[]")

    with serving(behave) as url:
        for number in (1, 2):
            dying[0] = number == 1  # which has the one operation
            asked.clear()
            ended = invoke(
                *("check", "api.json", "-q", "-H", url, "--slo", "GET /items: errors<50%"),
                *("--shard", f"{number}/2", "--check", "stack-trace-in-response"),
                *("--json", f"{number}.json"),
            )
            assert ended.code == (3 if dying[0] else 0), ended.said

    merged = invoke("merge", "1.json", "2.json")
    assert merged.code == 3, merged.said
    assert said in merged.said
    assert "is missing" not in merged.said


def test_a_shard_that_has_nothing_to_try_is_void_where_its_scan_cannot_begin(
    invoke: Invoke, folder: Path, nobody: str
) -> None:
    (folder / "api.json").write_text(json.dumps(_DOCUMENT))
    invoke(
        *("check", "api.json", "-q", "-H", nobody, "--slo", "GET /items: errors<50%"),
        *("--shard", "2/2", "--json", "2.json"),
    )
    assert [each.shard for each in read_results(Path("2.json")).void_runs] == [
        Shard(number=2, total=2)
    ]


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("check", ("api.json", "--check", "stack-trace-in-response")),
        pytest.param(
            "load",
            ("-o", "GET /items", "--openapi", "api.json", "--rate", "5", "--processes", "1"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_merge_names_the_shards_that_were_killed_though_nothing_else_of_their_kind_is_there(
    invoke: Invoke, folder: Path, verb: str, options: tuple[str, ...]
) -> None:
    (folder / "api.json").write_text(json.dumps(_DOCUMENT))
    _suites(folder, total=2)
    left = folder / "1" / verb / "results.json"
    write_results(left, replace(PLAIN, scan=in_shards(2, *CHECKS)[0]))  # of an earlier run
    running: list[subprocess.Popen[bytes]] = []

    with serving(lambda *_: running[0].kill()) as url:
        program = (sys.executable, "-c", "from withstand.cli import main; main()")
        where = ("-H", url, "-q", "--shard", "1/2", "--report-dir", str(left.parent))
        running.append(subprocess.Popen([*program, verb, *options, *where], cwd=folder))
        assert running[0].wait(30) == -signal.SIGKILL

    merged = invoke("merge", "1", "2")
    assert merged.code == 3, merged.said
    assert f"withstand {verb} of shard 1/2 came to nothing: it began and left no" in merged.said


def test_a_shard_of_which_it_is_told_why_it_came_to_nothing_is_not_called_missing_as_well(
    invoke: Invoke, folder: Path, nobody: str
) -> None:
    for number in (1, 2):
        _left(folder, f"{number}", replace(PLAIN, base_url="", suite=suite_shard(number, 2)))
    for number, record in enumerate(in_shards(4, *CHECKS), start=1):
        _left(folder, f"scan-{number}", replace(PLAIN, base_url=nobody, scan=record))
    invoke("check", "-q", "-H", nobody, "--shard", "4/4", "--json", "void.json")

    lacking = {
        (): "shards 1/4, 2/4, 3/4 are",
        ("scan-1.json",): "shards 2/4, 3/4 are",
        ("scan-1.json", "scan-2.json"): "shard 3/4 is",
    }
    for there, named in lacking.items():
        merged = invoke("merge", "1.json", "2.json", *there, "void.json")
        assert f"{named} missing" in merged.said, merged.said
    whole = ["scan-1.json", "scan-2.json", "scan-3.json"]
    merged = invoke("merge", "1.json", "2.json", *whole, "void.json")
    assert "part of the run is void: withstand check of shard 4/4 came to nothing" in merged.said
    assert "missing" not in merged.said


def test_a_soak_that_came_to_nothing_is_beside_the_same_shard_of_a_scan(
    invoke: Invoke, folder: Path, nobody: str
) -> None:
    for number, record in enumerate(in_shards(2, *CHECKS), start=1):
        _left(folder, f"scan-{number}", replace(PLAIN, base_url=nobody, scan=record))
    invoke("soak", "-q", "-H", nobody, "-t", "2h", "--shard", "2/2", "--json", "void.json")

    merged = invoke("merge", "scan-1.json", "scan-2.json", "void.json")
    assert "part of the run is void: withstand soak of shard 2/2 came to nothing" in merged.said
