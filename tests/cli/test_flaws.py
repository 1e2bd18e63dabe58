"""What the command line says of flaws in the demo: what a scan sees, and what a load does.

`tests/scan/test_flaw_matrix.py` holds every flaw against the check that must find it.
"""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo, running
from withstand.demo.flaws import FLAWS

pytestmark = pytest.mark.slow

SEEN_BY_THE_SCAN = {flaw.name: flaw.seen_by for flaw in FLAWS if flaw.seen_by is not None}
SEEN_UNDER_LOAD = {
    "slow-endpoint": ("GET /users", "p95<250ms"),
    "memory-leak": ("*", "memory_growth<16MB"),
}


def findings(file: Path) -> set[str]:
    document = json.loads(file.read_text())
    return {finding["check"] for finding in document["scan"]["findings"]}


def test_every_flaw_has_something_that_should_see_it() -> None:
    assert {flaw.name for flaw in FLAWS} == SEEN_BY_THE_SCAN.keys() | SEEN_UNDER_LOAD.keys()


def test_the_scan_finds_nothing_on_the_careful_build_and_leaves_nothing_untold(
    invoke: Invoke, folder: Path
) -> None:
    with running("--https", "--http-port", "0") as demo:
        (folder / "withstand.toml").write_text(config_of(demo))

        outcome = invoke("scan", "-q", "--strict", "--json", "found.json")

    assert outcome.code == 0, outcome.said
    assert findings(folder / "found.json") == set()


@pytest.mark.parametrize(("flaw", "objective"), SEEN_UNDER_LOAD.items())
def test_an_objective_is_breached_by_a_flaw_planted_alone(
    invoke: Invoke, folder: Path, flaw: str, objective: tuple[str, str]
) -> None:
    operation, text = objective
    with running("--flaws", flaw) as demo:
        (folder / "withstand.toml").write_text(config_of(demo))

        outcome = invoke(
            *("load", "-q", "--rate", "60/s", "-t", "10s", "-o", "GET /users"),
            *("--slo", f"{operation}: {text}", "--pid", demo.words["pid"]),
        )

    assert outcome.code == 1, outcome.said
    assert text in outcome.said


def test_the_same_objectives_are_met_by_the_careful_build(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text(config_of(demo))
    slos = [part for op, text in SEEN_UNDER_LOAD.values() for part in ("--slo", f"{op}: {text}")]

    outcome = invoke(
        *("load", "-q", "--rate", "60/s", "-t", "10s", "-o", "GET /users", *slos),
        *("--pid", demo.words["pid"]),
    )

    assert outcome.code == 0, outcome.said


def test_the_demo_names_every_planted_flaw(invoke: Invoke, folder: Path) -> None:
    outcome = invoke("demo", "-q", "--flaws", "all")

    assert outcome.code == 1, outcome.said
    hidden = {
        "rate-limit-without-retry-after",  # there is no limit whose refusal could lack it
        # With every origin let in, none is refused and none only looks allowed.
        *("origins-compared-by-prefix", "allowed-origin-left-out"),
        "preflights-approved-for-everybody",
        # Nobody needs a token, so none is made up; where no signature is verified, no key matters;
        # and where no role is checked there is no guard to get past.
        *("any-token-accepted", "guessable-token-secret", "public-key-as-secret"),
        "admin-guard-reads-path",
    }
    for flaw, check in SEEN_BY_THE_SCAN.items():
        assert flaw in hidden or check in outcome.said
    assert "curl" in outcome.said
    results = json.loads((folder / "withstand-report" / "results.json").read_text())
    assert findings(folder / "withstand-report" / "results.json") == {
        check for flaw, check in SEEN_BY_THE_SCAN.items() if flaw not in hidden
    }
    assert results["load"]["operations"]
    assert "memory_growth<32MB" in outcome.said
    assert (folder / "withstand-report" / "report.html").stat().st_size > 50_000
