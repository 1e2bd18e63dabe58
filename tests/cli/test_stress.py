"""The stress verb against a demo of a known capacity: what it finds, says, and keeps."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo, running

CAPACITY_PER_S = 150
SHORT = ("--warm-up", "0s", "--step-time", "3s", "--longest-step", "6s", "--hold-time", "3s")
PROMISE = ("--slo", "p90<200ms")


@pytest.fixture(scope="module")
def limited() -> Iterator[RunningDemo]:
    with running("--capacity", str(CAPACITY_PER_S)) as started:
        yield started


def stressed(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "run.json").read_text())["stress"]
    return document


@pytest.mark.slow
def test_the_capacity_of_the_demo_is_found_within_12_percent(
    invoke: Invoke, folder: Path, limited: RunningDemo
) -> None:
    outcome = invoke(
        *("stress", "-q", f"{limited.words['url']}/products", *PROMISE, *SHORT, "--paced"),
        *("--start-rate", "100/s", "--max-rate", "200/s", "--resolution", "13"),
        *("--require", "120/s", "--json", "run.json", "--html", "run.html"),
    )
    assert outcome.code == 0, outcome.said
    assert "The required 120/s is sustained" in outcome.said
    held = [step["rate_per_s"] for step in stressed(folder)["steps"] if step["purpose"] == "hold"]
    assert held[-1] == pytest.approx(CAPACITY_PER_S, rel=0.12)
    assert f"The objectives hold up to {held[-1]:.0f}/s".lower() in outcome.said.lower()
    assert "by rate" in (folder / "run.html").read_text()
    # What is stored is what was counted: whoever reads it comes to the same.
    again = invoke("report", "run.json")
    assert (again.code, again.out) == (outcome.code, outcome.out)


@pytest.mark.slow
def test_a_required_rate_beyond_the_capacity_exits_1(
    invoke: Invoke, folder: Path, limited: RunningDemo
) -> None:
    outcome = invoke(
        *("stress", "-q", f"{limited.words['url']}/products", *PROMISE, *SHORT, "--paced"),
        *("--start-rate", "280/s", "--require", "300/s", "--max-time", "8s"),
        *("--json", "run.json"),
    )
    assert outcome.code == 1, outcome.said
    assert "The required 300/s is not sustained" in outcome.said
    (step,) = stressed(folder)["steps"]
    assert step["windows"] == 3  # overload is seen at once
    assert step["load"]["unanswered"] + step["load"]["sent"] >= step["load"]["offered"]


@pytest.mark.slow
def test_ctrl_c_keeps_the_steps_that_were_taken(folder: Path, demo: RunningDemo) -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from withstand.cli import main; main()"),
            *("stress", f"{demo.words['url']}/health", *PROMISE, *SHORT),
            *("--start-rate", "80/s", "--json", "run.json"),
        ],
        cwd=folder,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + 60
        said = ""
        while " after " not in said and time.monotonic() < deadline:
            said += process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=60)

    assert process.returncode == 130, said + rest
    assert stressed(folder)["interrupted"] is True
    assert len(stressed(folder)["steps"]) == 1
    assert "Traceback" not in rest
    assert "interrupted" in out


@pytest.mark.slow
def test_operations_of_the_document_are_searched_with_the_objectives_of_the_file(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    config = config_of(demo).replace('"p95<250ms", "errors<3%"', '"p75<30s", "rps>5"')
    (folder / "withstand.toml").write_text(config)
    outcome = invoke(
        *("stress", "-o", "GET /products", "-o", "GET /users", *SHORT, "--max-time", "20s"),
        *("--max-rate", "30/s", "--json", "run.json"),
    )
    assert outcome.code == 0, outcome.said
    assert "the objectives hold up to 30/s" in outcome.said.lower()
    assert "Not judged here, as it is about longer runs: rps>5" in outcome.said
    steps = stressed(folder)["steps"]
    assert set(steps[0]["load"]["operations"]) == {"GET /products", "GET /users"}


@pytest.mark.slow
def test_a_scenario_file_is_searched_with_its_own_objectives_by_several_processes(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    config = config_of(demo) + "\n[load]\nkeep_alive = false\n"
    (folder / "withstand.toml").write_text(config)
    (folder / "shop.toml").write_text(
        """
        [slo]
        "*" = "p50<30s"
        [[requests]]
        name = "catalogue"
        request = "GET /products"
        weight = 3
        [[requests]]
        name = "me"
        request = "GET /users/me"
        identity = "alice"
        """
    )
    outcome = invoke(
        *("stress", "shop.toml", "--processes", "2", *SHORT, "--max-time", "20s"),
        *("--start-rate", "60/s", "--max-rate", "60/s", "--json", "run.json"),
    )
    assert outcome.code == 0, outcome.said
    assert "the objectives hold up to 60/s" in outcome.said.lower()
    for step in stressed(folder)["steps"]:
        load = step["load"]
        assert load["generator"]["processes"] == 2
        assert set(load["operations"]) == {"catalogue", "me"}
        assert load["conditions"] == ["a new connection for each request"]
        assert load["sent"] > 40 * step["windows"]  # of 60, as chance has it


def test_a_user_script_and_a_scenario_beside_a_document_are_refused(invoke: Invoke) -> None:
    outcome = invoke("stress", "-q", "shop.py", *PROMISE)
    assert outcome.code == 2
    assert "shop.py is a user script" in outcome.said
    assert "withstand load shop.py --rate" in outcome.said
    outcome = invoke("stress", "-q", "shop.toml", "-o", "GET /users", *PROMISE)
    assert outcome.code == 2
    assert "shop.toml says what to send" in outcome.said


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "there is no objective"),
        (("--slo", "rps>100"), 2, "give --require for a rate"),
        (
            ("--slo", "errors<0.1%", "--start-rate", "5/s"),
            2,
            "--start-rate 5/s is too low: 40 seconds of it are too few requests",
        ),
        ((*PROMISE, "--require", "1/s"), 2, "--require 1/s is too low"),
        ((*PROMISE, "--start-rate", "90/s", "--max-rate", "50/s"), 2, "is above --max-rate 50/s"),
        ((*PROMISE, "--step-time", "2.5s"), 2, "--step-time 2.5s is not a whole number of seconds"),
        (
            (*PROMISE, "--longest-step", "5s"),
            2,
            "--longest-step 5s is shorter than --step-time 10s",
        ),
        ((*PROMISE, "--hold-time", "10m"), 2, "--hold-time 600s is more than 270s"),
        ((*PROMISE, "--max-time", "20s"), 2, "has no room for one step and the hold after it"),
        ((*PROMISE, "-o", "GET /users"), 2, "--openapi and --operation choose from a document"),
        ((*PROMISE, "--timeout", "0s"), 2, "--timeout 0s leaves no time"),
        (PROMISE, 3, "nothing answers at http://127.0.0.1:9"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_what_to_do(
    invoke: Invoke, folder: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    outcome = invoke("stress", "-q", "http://127.0.0.1:9/x", *arguments)
    assert outcome.code == code, outcome.said
    assert sentence in outcome.said
