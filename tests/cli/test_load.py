"""The load verb against the real demo: what it sends, what it says, how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo


@pytest.fixture
def configured(folder: Path, demo: RunningDemo) -> Path:
    (folder / "withstand.toml").write_text(config_of(demo))
    return folder


def loaded(folder: Path, name: str = "run.json") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text())["load"]
    return document


def requests_of(operation: dict[str, Any]) -> int:
    return sum((*operation["statuses"].values(), *operation["failures"].values()))


def test_a_rate_offers_its_schedule_to_every_read_of_the_document(
    invoke: Invoke, configured: Path
) -> None:
    outcome = invoke("load", "-q", "--rate", "50/s", "-t", "1s", "--json", "run.json")

    run = loaded(configured)
    assert outcome.code in {0, 1}, outcome.said
    assert (run["model"], run["offered"], run["sent"]) == ("open", 50, 50)
    assert {key.split()[0] for key in run["operations"]} == {"GET"}
    assert "GET /orders/{id}" in run["operations"]
    assert sum(map(requests_of, run["operations"].values())) == 50


def test_users_wait_for_their_answers(invoke: Invoke, configured: Path) -> None:
    invoke(
        *("load", "-q", "-u", "3", "-r", "6", "-t", "500ms", "--think-time", "50ms"),
        *("-o", "GET /health", "--json", "run.json"),
    )

    run = loaded(configured)
    assert run["model"] == "closed"
    assert "3 users" in run["profile"]
    assert 3 <= requests_of(run["operations"]["GET /health"]) <= 3 * 10


def test_stages_of_a_rate_are_sent_as_they_are_written(invoke: Invoke, configured: Path) -> None:
    outcome = invoke(
        *("load", "-q", "-o", "GET /health", "--stages", "200ms:80/s,100ms:80/s,200ms:0"),
        *("--json", "run.json"),
    )

    run = loaded(configured)
    assert outcome.code == 0, outcome.said
    assert (run["model"], run["offered"], run["sent"]) == ("open", 24, 24)
    assert run["profile"] == "0.2 s from 0/s to 80/s, 0.1 s at 80/s, 0.2 s from 80/s to 0/s"


def test_users_come_and_go_in_stages_and_keep_their_pace(invoke: Invoke, configured: Path) -> None:
    invoke(
        *("load", "-q", "-o", "GET /health", "--stages", "4u,250ms:4u,2u,250ms:2u"),
        *("--pacing", "125ms", "--json", "run.json"),
    )

    run = loaded(configured)
    assert run["model"] == "closed"
    assert run["profile"] == "0.25 s at 4 users, 0.25 s at 2 users, an iteration every 125 ms"
    assert run["offered"] == 4 * 2 + 2 * 2


def test_the_configurations_stages_are_the_default_and_a_flag_replaces_them(
    invoke: Invoke, configured: Path
) -> None:
    file = configured / "withstand.toml"
    file.write_text(f"{file.read_text()}\n[load]\nstages = ['20/s', '200ms:20/s']\n")
    run = ("load", "-q", "-o", "GET /health", "--json", "run.json")

    invoke(*run)
    assert loaded(configured)["profile"] == "0.2 s at 20/s"
    invoke(*run, "--rate", "5/s", "-t", "200ms")
    assert loaded(configured)["profile"] == "5/s for 0.2 s"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--stages", "9s:5/s", "--rate", "5/s"), "--stages 9s:5/s says how much load"),
        (("--stages", "9s:5/s", "-t", "5s"), "leave -t out"),
        (("--stages", "9s:5"), "has no level with its unit"),
        (("--stages", "9s:5u", "--poisson"), "Poisson arrivals belong to a rate"),
        (("--stages", "9s:5/s", "-r", "5"), "-r sets how fast users start"),
        (("--stages", "9s:5/s", "--pacing", "1s"), "--pacing 1s is about the pauses of users"),
        (("--rate", "5/s", "--think-time", "1s"), "--think-time 1s is about the pauses"),
        (("-u", "5", "--think-time", "1s", "--pacing", "1s"), "give one of the two"),
        (("-u", "5", "--think-time", "3s..1s"), "give the shorter time first"),
        (("-u", "5", "--pacing", "0s"), "no time between iterations"),
        (("-u", "5", "--poisson"), "users ask when they are ready"),
    ],
)
def test_a_shape_that_contradicts_itself_is_refused_with_the_way_out(
    invoke: Invoke, configured: Path, flags: tuple[str, ...], said: str
) -> None:
    outcome = invoke("load", "-q", "-o", "GET /health", *flags)

    assert outcome.code == 2
    assert said in " ".join(outcome.said.split())


def test_writes_are_sent_only_when_they_are_named(invoke: Invoke, configured: Path) -> None:
    outcome = invoke(
        *("load", "-q", "--rate", "40/s", "-t", "250ms", "-o", "POST /orders"),
        *("--slo", "p95<30s", "--json", "run.json"),
    )

    assert outcome.code == 0, outcome.said
    assert loaded(configured)["operations"]["POST /orders"]["statuses"] == {"201": 10}


def test_one_address_needs_no_document_and_is_sent_as_it_is_written(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    url = f"{demo.words['url']}/products?q=tea pot&limit=1"

    outcome = invoke("load", "-q", url, "--rate", "40/s", "-t", "250ms", "--json", "run.json")

    assert outcome.code == 0, outcome.said
    assert loaded(folder)["operations"]["GET /products"]["statuses"] == {"200": 10}


def test_a_breach_exits_1_or_as_told_and_a_stored_run_says_the_same(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    url = f"{demo.words['url']}/nowhere"
    run = ("load", "-q", url, "--rate", "40/s", "-t", "250ms", "--slo", "errors=0%")

    outcome = invoke(*run, "--exit-code-on-slo", "99", "--json", "run.json", "--html", "run.html")
    again = invoke("report", "run.json")

    assert outcome.code == 99, outcome.said
    assert again.code == 1
    assert "errors=0%" in again.said
    assert "breached" in (folder / "run.html").read_text().lower()


def test_what_a_short_run_cannot_decide_voids_only_a_strict_one(
    invoke: Invoke, configured: Path
) -> None:
    run = ("load", "-q", "-o", "GET /health", "--rate", "20/s", "-t", "250ms", "--slo", "p99<5s")

    assert invoke(*run).code == 0
    assert invoke(*run, "--strict").code == 3


def test_a_broken_objective_ends_the_run_keeps_its_results_and_exits_1(
    invoke: Invoke, configured: Path
) -> None:
    run = ("load", "-q", "-o", "GET /health", "--rate", "40/s", "-t", "10m", "--abort-on-fail")

    outcome = invoke(*run, "--slo", "p95<1us over 1s", "--json", "run.json", "--html", "run.html")

    assert outcome.code == 1, outcome.said
    assert "the run was aborted because" in invoke("report", "run.json").said
    assert "p95<1us over 1s of GET /health is broken: from 1 s to 2 s" in outcome.said
    kept = loaded(configured)
    assert kept["interrupted"] is False
    assert 2 <= kept["duration_s"] < 60
    assert (kept["warm_up_s"], kept["operations"]["GET /health"]["windows"][0]["second"]) == (1, 0)
    assert "aborted after" in (configured / "run.html").read_text()


def test_the_abort_waits_for_its_delay_and_the_warm_up_is_as_long_as_told(
    invoke: Invoke, configured: Path
) -> None:
    run = ("load", "-q", "-o", "GET /health", "--rate", "40/s", "-t", "10m", "--abort-on-fail")

    invoke(*run, "--slo", "max<1us", "--abort-delay", "2s", "--warm-up", "1s", "--json", "run.json")

    kept = loaded(configured)
    assert 2 <= kept["duration_s"] < 60
    assert kept["warm_up_s"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--abort-delay", "1s"), "--abort-on-fail"),
        (("--abort-on-fail",), "there is none"),
        (
            ("--abort-on-fail", "--slo", "max<1s", "--abort-delay", "10s"),
            "not shorter than the run",
        ),
        (("--slo", "GET /b: p95<1s"), "which is no request of http"),
        (("--slo", "p95<1s over 30s"), "cannot be judged in a run of 10 s"),
        (("--slo", "p95<1s over 1.5s"), "whole seconds"),
        (("--warm-up", "10s"), "leaves nothing"),
        (("-t", "8h", "--slo", "p95<1s over 1s"), "28,800 windows"),
    ],
)
def test_what_could_never_be_judged_or_aborted_is_refused_before_the_run(
    invoke: Invoke, folder: Path, demo: RunningDemo, words: tuple[str, ...], said: str
) -> None:
    outcome = invoke("load", "-q", f"{demo.words['url']}/health", *words)

    assert outcome.code == 2, outcome.said
    assert said in outcome.said


def test_an_operation_that_got_no_request_voids_the_run(invoke: Invoke, configured: Path) -> None:
    run = ("load", "-q", "-o", "GET /health", "--rate", "20/s", "-t", "250ms")

    outcome = invoke(*run, "--slo", "GET /users: p95<5s")

    assert outcome.code == 3, outcome.said
    assert "not met for want of a single sample" in outcome.said


def test_the_environment_wins_over_the_file_and_a_flag_over_both(
    invoke: Invoke, configured: Path, demo: RunningDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("load", "-q", "-o", "GET /health", "--rate", "20/s", "-t", "250ms", "--slo", "p99<9s")
    monkeypatch.setenv("WITHSTAND_BASE_URL", "http://127.0.0.1:9")

    assert invoke(*run).code == 3
    assert invoke(*run, "--host", demo.words["url"]).code == 0


def test_ctrl_c_keeps_what_was_measured(configured: Path) -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from withstand.cli import main; main()"),
            *("load", "--rate", "20/s", "-t", "10m", "-o", "GET /health", "--json", "run.json"),
        ],
        cwd=configured,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + 30
        said = ""
        while "load:" not in said and time.monotonic() < deadline:
            said += process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)

    assert process.returncode == 130, said + rest
    assert loaded(configured)["interrupted"] is True
    assert "Traceback" not in rest


SCRIPT = """
from withstand.load import AsyncClient, user

@user(identity="alice")
async def customer(client: AsyncClient) -> None:
    orders = await client.get("/orders")
    orders.expect(orders.json()["items"] == "no list", "the orders are a list")
    raise LookupError("lost")
"""


def test_a_user_script_is_run_by_the_identities_that_it_names(
    invoke: Invoke, configured: Path
) -> None:
    (configured / "shop.py").write_text(SCRIPT)
    outcome = invoke("load", "shop.py", "-q", "--rate", "40/s", "-t", "250ms", "--json", "run.json")

    run = loaded(configured)
    assert outcome.code == 1, outcome.said  # the demo's own objective on errors
    assert run["operations"]["GET /orders"]["statuses"] == {"200": 10}
    assert run["operations"]["GET /orders"]["rejected"] == {"the orders are a list": 10}
    assert "10 rejected: the orders are a list" in outcome.said
    place = "LookupError: lost (shop.py, line 8, customer)"
    assert run["script"]["exceptions"] == {place: 10}
    assert f"no iteration of the user script came to its end: {place}" in outcome.said
    report = invoke("report", "run.json")
    assert "the script raised 10 times: LookupError" in report.said


def test_a_user_script_of_any_name_is_given_with_f(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    text = SCRIPT.replace('(identity="alice")', "").replace("/orders", "/health")
    (folder / "shop").write_text(text.partition("    orders.expect")[0])
    url = ("-H", demo.words.get("http_url") or demo.words["url"])
    outcome = invoke(
        "load", "-f", "shop", *url, "-q", "-u", "2", "-t", "500ms", "--json", "run.json"
    )
    assert outcome.code in {0, 3}, outcome.said
    operation = loaded(folder)["operations"]["GET /health"]
    assert operation["statuses"]["200"] == requests_of(operation) > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("shop.py",), "the user script shop.py cannot be read"),
        (("shop.py", "-f", "shop.py"), "shop.py says what to send, and so does -f shop.py"),
        (("shop.py", "-o", "GET /users"), "shop.py says what to send, and --openapi"),
        (("-f", "shop", "http://127.0.0.1/"), "give the script alone"),
    ],
)
def test_a_user_script_and_what_does_not_go_with_it_are_refused(
    invoke: Invoke, configured: Path, arguments: tuple[str, ...], says: str
) -> None:
    outcome = invoke("load", *arguments)
    assert (outcome.code, says in outcome.said) == (2, True), outcome.said


def test_a_user_script_with_an_unknown_identity_is_refused(
    invoke: Invoke, configured: Path
) -> None:
    (configured / "shop.py").write_text(SCRIPT.replace("alice", "zoe"))
    outcome = invoke("load", "shop.py")
    assert outcome.code == 2
    assert "users logged in as 'zoe'" in outcome.said
