"""The self-test itself, on real sockets: short, and as true on a busy machine."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from withstand.errors import WithstandError
from withstand.selftest.comparison import Agreement, Comparison
from withstand.selftest.experiment import run_selftest
from withstand.selftest.experiment_server import ReferenceServer
from withstand.selftest.peers import peer_named
from withstand.selftest.plan import SelfTest
from withstand.selftest.truth import StallPattern

PLAN = SelfTest(
    rate_per_s=800,
    pattern=StallPattern(every_s=0.5, stall_s=0.25),
    periods=2,
    connections=(3, 150),
    seconds=0.5,
    lag_rates_per_s=(500,),
    lag_seconds=0.3,
    ladder_per_s=(500,),
    ladder_seconds=0.2,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return run_selftest(PLAN)


def test_every_experiment_has_its_rows_and_every_figure_is_there(comparison: Comparison) -> None:
    quantiles = ["p50", "p90", "p95", "p99", "p99.9"]
    counts = ["requests offered", "requests sent", "requests answered"]
    assert [(section.title, [row.what for row in section.rows]) for section in comparison.sections][
        :3
    ] == [
        ("Stalls, 3 connections", quantiles + counts),
        ("Stalls, 150 connections", quantiles + counts),
        ("Known distribution", quantiles + counts),
    ]
    assert [section.title for section in comparison.sections][3:] == [
        "Evenness of the sends",
        "Send lag",
    ]
    for section in comparison.sections[:4]:
        assert all(row.reported is not None for row in section.rows)


def test_all_counts_are_the_servers_own(comparison: Comparison) -> None:
    counts = [
        row for section in comparison.sections for row in section.rows if "requests" in row.what
    ]
    assert len(counts) == 3 * 4 + 1
    assert [row for row in counts if row.reported != row.true] == []


def test_no_latency_is_reported_shorter_than_the_stall_it_fell_into(
    comparison: Comparison,
) -> None:
    # However busy the machine: this is what coordinated omission would break.
    for section in comparison.sections[:2]:
        for row in section.rows[:5]:
            assert row.true is not None
            assert row.reported is not None
            assert row.reported >= 0.98 * row.true - 300_000, (section.title, row)


def test_a_stall_shows_in_the_truth_of_the_servers_log(comparison: Comparison) -> None:
    # Half of the users come during a stall: p90 is 0.25 s - 0.1 x 0.5 s.
    for section in comparison.sections[:2]:
        p90 = section.rows[1]
        assert p90.by_design == pytest.approx(0.2e9)
        assert p90.true is not None
        assert p90.true > 0.18e9  # a late server stalls longer, never shorter


def test_no_count_is_off(comparison: Comparison) -> None:
    # Times are not held to it: beside other tests the machine bends them in ways nobody records.
    rows = [row for section in comparison.sections for row in section.rows]
    counts = [row for row in rows if row.unit == "count" and row.agreement is not None]
    assert counts
    assert [row for row in counts if row.agreement is Agreement.OFF] == []


def test_ctrl_c_keeps_the_sections_that_are_complete() -> None:
    def interrupt(sentence: str) -> None:
        if "150 connections" in sentence:
            raise KeyboardInterrupt

    interrupted = run_selftest(PLAN, say=interrupt)
    assert [section.title for section in interrupted.sections] == ["Stalls, 3 connections"]
    assert interrupted.exit_code == 130


def test_a_server_that_does_not_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(WithstandError, match="the reference server did not start"),
        ReferenceServer("--no-such-flag"),
    ):
        pass
    assert "--no-such-flag" in capfd.readouterr().err


def test_a_server_that_no_request_reached_says_so() -> None:
    with (
        ReferenceServer() as server,
        pytest.raises(WithstandError, match="no request reached the reference server"),
    ):
        server.log()


def test_a_peer_that_fails_is_a_section_of_its_own_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "hey"
    broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    plan = replace(PLAN, connections=(3,), peers=(peer_named("hey"),))
    sections = run_selftest(plan).sections
    assert [section.peer for section in sections] == [None] * 4 + ["hey"]
    assert sections[-1].failure is not None
    assert "hey ended with 7: out of luck" in sections[-1].failure
