"""Living with findings on the command line: baseline, suppressions, replay, reports."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import running
from tests.scan.served_example import CHECK, OPERATION, ServedApi, served

SCAN = ("scan", "-q", "--check", CHECK)
FINGERPRINT = "265f05b5da9b2a30"  # of that check on that operation, for ever


@pytest.fixture
def api() -> Iterator[ServedApi]:
    with served() as running_api:
        yield running_api


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_what_is_in_the_baseline_fails_nothing_and_is_shown(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder, 'baseline = "known/b.json"')

    missing = invoke(*SCAN)
    assert (missing.code, "--update-baseline" in missing.said) == (2, True)
    written = invoke(*SCAN, "--update-baseline")
    assert written.code == 0, written.said
    assert "wrote known/b.json (1 known finding)" in written.err
    assert read(folder / "known" / "b.json")["findings"][0]["fingerprint"] == FINGERPRINT

    api.write_project(folder, 'baseline = "known/b.json"', parameter="orderId")
    again = invoke(*SCAN, "--sarif", "x.sarif")
    assert again.code == 0, again.said
    assert f"high: {CHECK} on GET /orders/{{orderId}}, {FINGERPRINT}" in again.said
    assert "1 known finding is still there" in again.said
    (result,) = read(folder / "x.sarif")["runs"][0]["results"]
    assert result["baselineState"] == "unchanged"


def test_a_known_finding_that_is_gone_is_said_and_leaves_the_file_when_updated(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder)
    flags = ("--baseline", "b.json")
    invoke(*SCAN, *flags, "--update-baseline")
    api.heal()

    assert (
        f"{CHECK} on {OPERATION} ({FINGERPRINT}) is in b.json and is gone"
        in invoke(*SCAN, *flags).said
    )
    invoke(*SCAN, *flags, "--update-baseline")
    assert read(folder / "b.json")["findings"] == []


def test_a_scan_that_does_not_come_to_its_end_leaves_the_baseline_as_it_was(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder)
    invoke(*SCAN, "--baseline", "b.json", "--update-baseline")
    before = (folder / "b.json").read_text()
    api.write_project(folder, "budget = { requests = 6 }")

    invoke(*SCAN, "--baseline", "b.json", "--update-baseline")

    assert (folder / "b.json").read_text() == before


def test_an_update_without_a_file_is_refused(invoke: Invoke, folder: Path, api: ServedApi) -> None:
    api.write_project(folder)
    outcome = invoke(*SCAN, "--update-baseline")
    assert (outcome.code, "has no file to write" in outcome.said) == (2, True)
    assert api.asked == []


def test_suppressions_show_in_every_report_and_expired_ones_hold_no_more(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    today = date.today()
    line = 'suppress = [{{ fingerprint = "{}", reason = "shared on purpose", expires = {} }}]'
    files = ("--sarif", "x.sarif", "--junit", "x.xml", "--markdown", "x.md", "--html", "x.html")

    api.write_project(folder, line.format(FINGERPRINT, today + timedelta(days=2)))
    accepted = invoke(*SCAN, *files)
    assert accepted.code == 0, accepted.said
    assert "shared on purpose (until " in accepted.said
    for name in ("x.sarif", "x.xml", "x.md", "x.html"):
        assert "shared on purpose" in (folder / name).read_text(), name

    api.write_project(folder, line.format(FINGERPRINT, today - timedelta(days=2)))
    expired = invoke(*SCAN, *files)
    assert expired.code == 1, expired.said
    assert "1 finding of it counts again" in expired.said
    for name in ("x.sarif", "x.xml", "x.md", "x.html"):
        assert "counts again" in (folder / name).read_text(), name


def test_fail_on_says_what_fails(invoke: Invoke, folder: Path, api: ServedApi) -> None:
    api.write_project(folder, 'fail_on = "critical"')
    assert invoke(*SCAN).code == 0
    assert invoke(*SCAN, "--fail-on", "high").code == 1


def test_a_report_directory_has_sarif_that_points_into_the_document(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder)
    invoke(*SCAN, "--report-dir", "out")
    (result,) = read(folder / "out" / "results.sarif")["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "openapi.json"
    lines = (folder / "openapi.json").read_text().splitlines()
    assert lines[place["region"]["startLine"] - 1].strip() == '"get": {'

    (folder / "out" / "results.sarif").rename(folder / "before.sarif")
    files = ("--sarif", "after.sarif", "--junit", "x.xml", "--code-quality", "quality.json")
    again = invoke("report", "out/results.json", *files)
    assert again.code == 1
    assert (folder / "after.sarif").read_text() == (folder / "before.sarif").read_text()
    assert "<failure" in (folder / "x.xml").read_text()
    (entry,) = read(folder / "quality.json")
    assert entry["location"]["lines"]["begin"] == place["region"]["startLine"]


def test_replay_says_still_there_gone_or_that_it_cannot_be_told(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder)
    invoke(*SCAN, "--json", "results.json")

    still = invoke("replay", "-q", FINGERPRINT[:6], "results.json")
    assert (still.code, still.out.split(":")[0]) == (1, "still there"), still.said
    assert "$ curl" in still.out
    assert "bob-token" not in still.said
    without_file = invoke("replay", "-q", FINGERPRINT)
    assert without_file.code == 1, without_file.said

    api.heal()
    gone = invoke("replay", "-q", FINGERPRINT, "results.json")
    assert (gone.code, gone.out.split(":")[0]) == (0, "gone"), gone.said

    nobody = invoke("replay", "-q", FINGERPRINT, "results.json", "-H", "http://127.0.0.1:9")
    assert (nobody.code, nobody.out.split(":")[0]) == (3, "cannot be told"), nobody.said
    other = invoke("replay", "-q", "ffffffff", "results.json")
    assert (other.code, "no finding ffffffff is in results.json" in other.said) == (2, True)


def test_replay_of_an_operation_that_is_not_there_any_more_is_gone(
    invoke: Invoke, folder: Path, api: ServedApi
) -> None:
    api.write_project(folder)
    invoke(*SCAN, "--json", "results.json")
    document = read(folder / "openapi.json")
    del document["paths"]["/orders/{id}"]
    (folder / "openapi.json").write_text(json.dumps(document))

    outcome = invoke("replay", "-q", FINGERPRINT, "results.json")
    assert (outcome.code, "has no such operation any more" in outcome.said) == (0, True)


@pytest.mark.slow
def test_the_curl_line_of_a_finding_on_the_demo_runs_as_pasted(
    invoke: Invoke, folder: Path
) -> None:
    with running("--flaws", "wildcard-cors-with-credentials") as demo:
        (folder / "withstand.toml").write_text(config_of(demo))
        outcome = invoke(
            "scan", "-q", "--check", "cross-origin-reads-allowed", "--json", "results.json"
        )
        assert outcome.code == 1, outcome.said
        (finding,) = read(folder / "results.json")["scan"]["findings"]
        (proof, *_) = finding["evidence"]
        assert "$WITHSTAND_TOKEN_ALICE" in proof["curl"]
        done = subprocess.run(
            ["bash", "-c", proof["curl"]],
            env={"WITHSTAND_TOKEN_ALICE": demo.token("alice"), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )

    assert "HTTP/1.1 200" in done.stdout
    assert f"access-control-allow-origin: {proof['highlight']}" in done.stdout
    assert "alice@example.com" in done.stdout
