"""What goes wrong on a user's side is one message with the next step, and no traceback."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, Outcome, config_of
from tests.demo.running import RunningDemo
from withstand.demo.flaws import FLAWS


def a_dead_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def assert_one_message(outcome: Outcome, code: int, *parts: str) -> None:
    assert outcome.code == code, outcome.said
    for part in parts:
        assert part in outcome.said
    assert "→" in outcome.said or "Usage" in outcome.said, "no next step"
    assert "Traceback" not in outcome.said
    assert outcome.said.count("Error") <= 1


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def configured(folder: Path, demo: RunningDemo) -> Path:
    file = folder / "withstand.toml"
    file.write_text(config_of(demo))
    return file


@pytest.mark.parametrize("verb", ["scan", "load"])
def test_no_base_url_names_the_ways_to_give_one(invoke: Invoke, verb: str) -> None:
    assert_one_message(invoke(verb, "-q"), 2, "base_url", "WITHSTAND_BASE_URL", "--host")


@pytest.mark.parametrize("verb", ["scan", "load"])
@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_a_wrong_base_url_is_quoted(invoke: Invoke, verb: str, url: str) -> None:
    outcome = invoke(verb, "-q", "--host", url)
    assert outcome.code == 2
    assert url in outcome.said
    assert "Traceback" not in outcome.said


@pytest.mark.parametrize("verb", ["scan", "load"])
def test_a_host_that_nobody_allowed_is_not_touched(invoke: Invoke, verb: str) -> None:
    outcome = invoke(verb, "-q", "--host", "https://api.example.com")
    assert_one_message(outcome, 2, "api.example.com", "--allow api.example.com")


@pytest.mark.parametrize("verb", ["scan", "load"])
def test_a_dead_server_voids_the_run(invoke: Invoke, verb: str) -> None:
    url = f"http://127.0.0.1:{a_dead_port()}"
    assert_one_message(invoke(verb, "-q", "--host", url), 3, url, "refused", "start the API")


def test_a_dead_server_voids_a_load_of_one_address(invoke: Invoke) -> None:
    url = f"http://127.0.0.1:{a_dead_port()}/health"
    assert_one_message(invoke("load", "-q", url, "-t", "1s"), 3, "refused")


@pytest.mark.parametrize("verb", ["scan", "load"])
def test_an_expired_password_voids_the_run(invoke: Invoke, configured: Path, verb: str) -> None:
    text = configured.read_text()
    line = next(line for line in text.splitlines() if line.startswith("bob ="))
    configured.write_text(text.replace(line, line.replace('password = "', 'password = "Old-')))

    assert_one_message(invoke(verb, "-q"), 3, "bob", "401", "password")


def test_a_misspelt_key_is_named_with_the_right_one(invoke: Invoke, configured: Path) -> None:
    configured.write_text(configured.read_text().replace("base_url =", "bas_url ="))

    outcome = invoke("scan", "-q")

    assert outcome.code == 2
    assert "bas_url" in outcome.said
    assert "base_url" in outcome.said
    assert configured.name in outcome.said
    assert "Traceback" not in outcome.said


def test_a_document_that_is_no_openapi_is_refused(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "package.json").write_text(json.dumps({"name": "shop", "version": "1"}))

    outcome = invoke("scan", "-q", "package.json", "--host", demo.words["url"])

    assert_one_message(outcome, 2, "package.json", "openapi")


def test_a_page_in_place_of_the_document_is_told_apart(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "docs.html").write_text("<!doctype html><title>Docs</title>")

    outcome = invoke("scan", "-q", "docs.html", "--host", demo.words["url"])

    assert_one_message(outcome, 2, "HTML")


def test_a_document_that_is_not_there_is_a_404(invoke: Invoke, demo: RunningDemo) -> None:
    outcome = invoke("scan", "-q", "/no-such-document.json", "--host", demo.words["url"])

    assert_one_message(outcome, 2, "/no-such-document.json", "404")


def test_a_file_that_is_not_there_is_named(invoke: Invoke, demo: RunningDemo) -> None:
    outcome = invoke("scan", "-q", "missing.yaml", "--host", demo.words["url"])

    assert outcome.code == 2
    assert "missing.yaml" in outcome.said
    assert "Traceback" not in outcome.said


def test_an_unknown_check_names_the_nearest(invoke: Invoke, configured: Path) -> None:
    outcome = invoke("scan", "-q", "--check", "sql-injecton")

    assert_one_message(outcome, 2, "sql-injecton", "sql-injection")


def test_an_objective_that_cannot_be_read_is_pointed_at(invoke: Invoke, configured: Path) -> None:
    outcome = invoke("load", "-q", "--slo", "p95<200furlongs")

    assert_one_message(outcome, 2, "200furlongs")


def test_the_closed_and_the_open_model_exclude_each_other(invoke: Invoke, configured: Path) -> None:
    assert_one_message(invoke("load", "-u", "5", "--rate", "10/s"), 2, "closed", "open")


def test_a_load_of_an_unknown_operation_names_some_that_exist(
    invoke: Invoke, configured: Path
) -> None:
    outcome = invoke("load", "-q", "-o", "GET /user")

    assert_one_message(outcome, 2, "GET /user", "POST /auth/token")


def test_a_process_that_does_not_exist_is_named(invoke: Invoke, configured: Path) -> None:
    outcome = invoke("load", "-q", "--pid", "99999999", "-t", "1s")

    assert_one_message(outcome, 2, "99999999")


def test_results_that_are_none_are_refused(invoke: Invoke, folder: Path) -> None:
    (folder / "results.json").write_text("{}")

    outcome = invoke("report", "results.json")

    assert outcome.code == 2
    assert "results.json" in outcome.said
    assert "Traceback" not in outcome.said


def test_an_unknown_flaw_lists_those_that_exist(invoke: Invoke, folder: Path) -> None:
    outcome = invoke("demo", "-q", "--flaws", "no-such-flaw")

    assert outcome.code == 2
    assert "sql-injection" in outcome.said
    assert "Traceback" not in outcome.said


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("-u", "2", "--poisson"), ("--poisson", "--rate")),
        (("--rate", "5/s", "--think-time", "1s"), ("--think-time 1s", "-u")),
        (("--timeout", "0s"), ("--timeout 0s",)),
        (("--pid", "-1"), ("-1", "x>=1")),
    ],
    ids=["poisson", "think-time", "timeout", "pid"],
)
def test_a_flag_that_would_have_no_effect_is_refused(
    invoke: Invoke, configured: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    assert_one_message(invoke("load", "-q", "-t", "1s", *arguments), 2, *parts)


def test_an_address_and_a_host_exclude_each_other(invoke: Invoke) -> None:
    outcome = invoke("load", "-q", "http://127.0.0.1:1/health", "-H", "http://127.0.0.1:2")

    assert_one_message(outcome, 2, "http://127.0.0.1:1/health", "-H http://127.0.0.1:2")


@pytest.mark.parametrize(
    "arguments", [("demo",), ("scan",), ("load",)], ids=["demo", "scan", "load"]
)
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    invoke: Invoke, folder: Path, arguments: tuple[str, ...]
) -> None:
    (folder / "taken").write_text("a file, no directory")

    outcome = invoke(*arguments, "-q", "--report-dir", "taken/report")

    assert_one_message(outcome, 2, "taken/report/report.html", "Not a directory")


@pytest.mark.parametrize("arguments", [("demo", "-h"), ("demo", "serve", "-h")])
def test_the_help_of_the_demo_lists_every_flaw(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    said = invoke(*arguments).said

    assert [flaw.name for flaw in FLAWS if f"{flaw.name} " not in said] == []


def test_the_wait_for_an_answer_is_the_configurations(
    invoke: Invoke, configured: Path, silent: str
) -> None:
    configured.write_text('[target]\ntimeout = "200ms"\n')

    outcome = invoke("load", "-q", silent, "-u", "1", "-t", "500ms")

    assert "timed-out" in outcome.said
