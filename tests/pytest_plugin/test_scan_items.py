"""`--withstand-scan`: checks as test items, with the verdicts of the command."""

import importlib
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.cli.conftest import config_of
from tests.demo.running import running
from tests.scan.served_example import CHECK, OPERATION, ServedApi, served
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Per

from .conftest import RunProject, write_configuration

ITEM = f"withstand.toml::scan::{OPERATION}::{CHECK}"
FINGERPRINT = "265f05b5da9b2a30"

# Loaded here once: what a run in this process imports itself is imported anew by the next.
importlib.import_module("withstand.pytest_plugin.scan_items")
CHECKS = all_checks()


@pytest.fixture
def api(project: pytest.Pytester) -> Iterator[ServedApi]:
    with served() as running_api:
        running_api.write_project(project.path)
        yield running_api


def test_there_is_one_item_for_each_check_and_operation_and_for_the_whole_api(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    result = run("--withstand-scan", "--collect-only", "-q")

    ids = [line for line in result.outlines if "::" in line]
    assert ITEM in ids
    expected = {
        f"withstand.toml::scan::{place}::{check.name}"
        for check in CHECKS
        for place in (["API"] if check.per is Per.API else ["POST /orders", OPERATION])
    }
    assert set(ids) == expected
    assert len(ids) == len(expected)
    assert api.asked == []


def test_a_finding_fails_its_item_with_the_proof_and_without_a_traceback(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    result = run("--withstand-scan", ITEM, "--junitxml=results.xml")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["high: A user can read another user's objects", "$ curl *"])
    assert "Traceback" not in result.stdout.str()
    assert "alice-token" not in result.stdout.str()
    text = (project.path / "results.xml").read_text()
    assert f'name="withstand.fingerprint" value="{FINGERPRINT}"' in text


def test_the_groundwork_is_done_once_for_all_items(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    result = run("--withstand-scan", "-k", "sql-injection or credential or other-user")
    # One request to see whether it is there opens every scan.
    assert api.asked.count(("GET", "/")) == 1
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1
    assert outcomes["passed"] >= 2


def test_a_healed_api_passes(run: RunProject, project: pytest.Pytester, api: ServedApi) -> None:
    api.heal()
    run("--withstand-scan", ITEM).assert_outcomes(passed=1)


def test_shards_share_the_items_out(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    kept = [
        re.findall(r"withstand\.toml::.*", run(*flags, "--co", "-q").stdout.str())
        for flags in (("--withstand-scan", "--shard", f"{number}/3") for number in (1, 2, 3))
    ]
    every = re.findall(r"withstand\.toml::.*", run("--withstand-scan", "--co", "-q").stdout.str())
    assert sorted(name for names in kept for name in names) == sorted(every)


@pytest.mark.parametrize(
    ("security", "outcome", "said"),
    [
        ('fail_on = "critical"', {"passed": 1}, "high finding: *bob reads what alice created."),
        (
            f'suppress = [{{ fingerprint = "{FINGERPRINT}", reason = "shared" }}]',
            {"xfailed": 1},
            "XFAIL * - accepted: shared",
        ),
        (
            f'suppress = [{{ check = "{CHECK}", reason = "shared", '
            f"expires = {date.today() - timedelta(days=2)} }}]",
            {"failed": 1},
            "note: The suppression of *(shared) held until *",
        ),
    ],
)
def test_what_the_configuration_says_about_findings_holds(
    run: RunProject,
    project: pytest.Pytester,
    api: ServedApi,
    security: str,
    outcome: dict[str, int],
    said: str,
) -> None:
    api.write_project(project.path, security)
    result = run("--withstand-scan", ITEM, "-rx")
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines([said])


def test_a_known_finding_is_expected_to_fail_and_a_missing_baseline_is_said(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    api.write_project(project.path, 'baseline = "b.json"')
    result = run("--withstand-scan", ITEM)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["there is no baseline file b.json"])
    (project.path / "b.json").write_text(
        '{"format": "withstand-baseline", "schema_version": 1, "findings": [{"check": '
        f'"{CHECK}", "operation": "{OPERATION}", "severity": "high", '
        f'"fingerprint": "{FINGERPRINT}"}}]}}'
    )
    result = run("--withstand-scan", ITEM, "-rx")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL * - known, in b.json"])


def test_what_cannot_be_told_is_a_skip_and_fails_when_strict(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    text = (project.path / "openapi.json").read_text()
    (project.path / "openapi.json").write_text(text.replace("/orders/{id}", "/lost/{id}"))
    item = "withstand.toml::scan::GET /lost/{id}::missing-credential-accepted"

    result = run("--withstand-scan", item, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*could not tell: *"])
    run("--withstand-scan", item, "--withstand-strict").assert_outcomes(failed=1)


def test_a_target_that_is_not_there_fails_every_item_with_one_sentence(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    result = run("--withstand-scan", "-k", CHECK, "--api-url=http://127.0.0.1:9")
    result.assert_outcomes(failed=2, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["http://127.0.0.1:9 does not answer*"])
    assert "Traceback" not in result.stdout.str()


def test_how_the_scan_left_things_is_in_the_summary_and_in_the_junit_file(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    api.heal()
    with (project.path / "withstand.toml").open("a") as file:
        file.write('[login]\ncanary = "GET /me"\n')
    inner, gone = api.server, False

    def server(request: Request) -> Response:
        if request.path != "/me":
            return inner(request)
        name = (request.header("authorization") or "").removeprefix("Bearer ")
        known = name in {"alice-token", "bob-token"} and not gone
        return Response(status=200 if known else 401, body=name.encode())

    api.server = server
    result = run("--withstand-scan", ITEM, "--junitxml=results.xml")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "After the scan alice and bob still log in *",
            "note: POST /orders created * (no operation*",
        ]
    )
    text = (project.path / "results.xml").read_text()
    assert '<property name="withstand.fact" value="After the scan alice and bob' in text
    assert '<property name="withstand.note" value="POST /orders created' in text

    asked = 0

    def forgetful(request: Request) -> Response:
        nonlocal asked, gone
        asked += request.path == "/me"
        gone = asked > at
        return server(request)

    at = sum(path == "/me" for _, path in api.asked) - 2  # all but the two at the end
    api.server = forgetful
    result = run("--withstand-scan", ITEM)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["the scan is void: after the scan alice is not what it was*"])


def test_without_the_option_nothing_is_collected(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    assert run().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_objectives_and_checks_are_collected_side_by_side(
    run: RunProject, project: pytest.Pytester, api: ServedApi
) -> None:
    with (project.path / "withstand.toml").open("a") as file:
        file.write(f'[slo]\n"{OPERATION}" = "p95<1s"\n')
    ids = run("--withstand-scan", "--withstand-slo", "--co", "-q").outlines
    assert f"withstand.toml::{OPERATION}::p95<1s" in ids
    assert ITEM in ids


@pytest.mark.slow
def test_under_xdist_the_verdicts_are_those_of_the_command(
    project: pytest.Pytester, run_parallel: RunProject
) -> None:
    with running("--flaws", "order-readable-by-other-user,sql-injection") as demo:
        write_configuration(project, config_of(demo))
        result = run_parallel("--withstand-scan", "-q", "-k", "not no-retry-after")

    assert set(re.findall(r"^FAILED (\S+ \S+)", result.stdout.str(), re.M)) == {
        "withstand.toml::scan::GET /orders/{id}::object-readable-by-other-user",
        "withstand.toml::scan::GET /products::sql-injection",
    }
