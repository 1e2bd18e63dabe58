"""`withstand check` against the real demo: one report, one exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo

QUICK = ("check", "-q", "--only", "slo")


@pytest.fixture
def configured(folder: Path, demo: RunningDemo) -> Path:
    (folder / "withstand.toml").write_text(config_of(demo))
    return folder


def stored(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out" / "results.json").read_text())
    return document


def test_the_scan_and_the_objectives_are_one_report(invoke: Invoke, configured: Path) -> None:
    outcome = invoke(
        *("check", "--check", "missing-credential-accepted", "--report-dir", "out"),
        *("--slo", "GET /health: p95<10min", "--slo", "GET /orders: p95<10min"),
        *("--slo", "max<10min"),
    )

    assert outcome.code == 0, outcome.said
    assert "✓ HELD" in outcome.said
    assert "passed, all 2 objectives are met and 1 objective more" in outcome.said
    assert "max<600s on * needs withstand load" in outcome.said
    assert "service times of a closed loop: one request at a time" in outcome.said
    document = stored(configured)
    assert set(document["trials"]["operations"]) == {"GET /health", "GET /orders"}
    checks = {cell["check"] for cell in document["scan"]["coverage"]}
    assert checks == {"missing-credential-accepted"}
    page = (configured / "out" / "report.html").read_text()
    assert 'id="trials"' in page
    assert 'id="coverage"' in page


def test_a_breach_is_exit_code_1_and_said_with_its_interval_and_time(
    invoke: Invoke, configured: Path
) -> None:
    outcome = invoke(*QUICK, "--slo", "GET /health: p95<1us", "--report-dir", "out")

    assert outcome.code == 1, outcome.said
    assert "✗ p95<1us GET /health p95 = " in outcome.said
    assert "80 requests" in outcome.said
    assert stored(configured)["scan"] is None
    again = invoke("report", "out/results.json")
    assert (again.code, again.out) == (1, outcome.out)


def test_undecided_is_exit_code_0_and_3_when_strict(invoke: Invoke, configured: Path) -> None:
    flags = (*QUICK, "--slo", "GET /health: p99<10min", "--budget", "60ms")
    outcome = invoke(*flags)

    assert outcome.code == 0, outcome.said
    assert "it takes at least 429 requests to meet it" in outcome.said
    assert "the budget of 60.0 ms was spent on GET /health" in outcome.said
    assert invoke(*flags, "--strict").code == 3


def test_the_objectives_of_the_configuration_are_used(invoke: Invoke, configured: Path) -> None:
    file = configured / "withstand.toml"
    text = file.read_text().replace(
        '"*" = ["p95<250ms", "errors<3%"]', '"GET /products" = ["p95<10min", "errors=0"]'
    )
    file.write_text(text)

    outcome = invoke(*QUICK)

    assert outcome.code == 0, outcome.said
    assert "✓ errors=0% GET /products" in outcome.said


def test_without_objectives_it_is_a_scan(invoke: Invoke, demo: RunningDemo) -> None:
    outcome = invoke(
        *(
            "check",
            "--base-url",
            demo.words["url"],
            "--check",
            "plain-http-accepted",
            "--json",
            "x.json",
        )
    )

    assert outcome.code in {0, 1}, outcome.said
    assert "No objective is set under [slo]" in outcome.err
    assert "Trials" not in outcome.out
    assert "Coverage" in outcome.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--only", "slo", "--check", "plain-http-accepted"), "--only slo leaves them out"),
        (("--only", "scan", "--slo", "p95<1s"), "--only scan leaves objectives out"),
        (("--only", "scan", "--budget", "1s"), "--only scan leaves them out"),
        (("--budget", "0s"), "--budget 0s leaves no time for a request"),
        (("--slo", "GET /nowhere: p95<1s"), "which is no operation of"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_way_out(
    invoke: Invoke, configured: Path, flags: tuple[str, ...], said: str
) -> None:
    outcome = invoke("check", "-q", *flags)

    assert outcome.code == 2, outcome.said
    assert said in outcome.said


def test_only_the_objectives_of_a_configuration_without_any_are_refused(
    invoke: Invoke, demo: RunningDemo
) -> None:
    outcome = invoke(*QUICK, "--base-url", demo.words["url"])

    assert outcome.code == 2
    assert "--only slo has no objective to check" in outcome.said
