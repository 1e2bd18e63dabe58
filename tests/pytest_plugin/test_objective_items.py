"""`--withstand-slo`: objectives as test items, measured once for all of them."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.conftest import config_of
from tests.demo.running import running
from withstand.slo.rota import WARM_UP

from .conftest import RunProject, write_configuration

_TO_KNOW_THAT_IT_WORKS = 2
_BEFORE = _TO_KNOW_THAT_IT_WORKS + WARM_UP
_DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Counted", "version": "1"},
    "paths": {
        path: {method: {"responses": {"200": {"description": "ok"}}} for method in methods}
        for path, methods in {"/a": ("get",), "/b": ("get", "post")}.items()
    },
}


@dataclass(slots=True, kw_only=True)
class CountedApi:
    """A running API that counts what it was asked."""

    url: str
    asked: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def counted_api(project: pytest.Pytester) -> Iterator[CountedApi]:
    """An API of two operations whose document lies beside the tests."""
    (project.path / "openapi.json").write_text(json.dumps(_DOCUMENT), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    api = CountedApi(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.api = api  # type: ignore[attr-defined]  # the handler has no other way to it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one segment for head and body: else each answer waits for a delayed ACK

    def do_GET(self) -> None:
        self.server.api.asked[self.path] += 1  # type: ignore[attr-defined]  # set by the fixture
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the output belongs to the tests."""


def promise(project: pytest.Pytester, api: CountedApi, slo: str) -> None:
    write_configuration(
        project, f'[target]\nbase_url = "{api.url}"\nopenapi = "openapi.json"\n[slo]\n{slo}\n'
    )


def requests_said(project: pytest.Pytester, operation: str) -> int:
    """How many requests the JUnit file says that an operation's verdicts rest on."""
    text = (project.path / "results.xml").read_text()
    cases = re.findall(rf'classname="withstand.toml.{operation}".*?</testcase>', text, re.S)
    return max(int(n) for c in cases for n in re.findall(r'withstand.requests" value="(\d+)"', c))


def test_there_is_one_item_for_each_operation_and_objective(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = ["p95<10min", "max<1h"]\n"GET /a" = "errors<50%"')
    project.makepyfile("def test_other(): pass")

    result = run("--withstand-slo", "--collect-only", "-q")

    ids = [line for line in result.outlines if "::" in line]
    assert sorted(ids) == [
        "test_there_is_one_item_for_each_operation_and_objective.py::test_other",
        "withstand.toml::*::max<3600s",
        "withstand.toml::GET /a::errors<50%",
        "withstand.toml::GET /a::p95<600s",
        "withstand.toml::GET /b::p95<600s",
    ]
    assert not counted_api.asked


def test_without_the_option_nothing_is_collected(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = "p95<10min"')
    project.makepyfile("def test_other(): pass")
    run().assert_outcomes(passed=1)


def test_all_are_measured_once_and_each_has_its_verdict(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(
        project, counted_api, '"*" = ["p95<10min", "errors<50%", "rps>5"]\n"GET /b" = "p50<1ns"'
    )

    result = run("--withstand-slo", "-rsf", "--junitxml=results.xml")

    result.assert_outcomes(passed=4, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "breached: GET /b p50<1ns: * requests failed or took longer than 1*ns; 50 % may",
            "*SKIPPED*rps>5 needs withstand load*",
            "FAILED withstand.toml::GET /b::p50<1ns*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    expected = _BEFORE + requests_said(project, "GET /a")
    assert counted_api.asked["/a"] == expected


def test_a_single_item_measures_its_operation_alone(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = ["p95<10min", "p99<10min"]')

    result = run("--withstand-slo", "withstand.toml::GET /a::p95<600s", "--junitxml=results.xml")

    result.assert_outcomes(passed=1)
    assert counted_api.asked["/b"] == _TO_KNOW_THAT_IT_WORKS
    assert 90 <= requests_said(project, "GET /a") < 429


def test_shards_and_expressions_choose_among_the_items(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = ["p95<10min", "errors<50%"]')
    run("--withstand-slo", "-k", "errors and b").assert_outcomes(passed=1, deselected=3)
    kept = 0
    for shard in ("1/2", "2/2"):
        outcomes = run("--withstand-slo", "--shard", shard, "-q").parseoutcomes()
        kept += outcomes.get("passed", 0)
    assert kept == 4


def test_a_spent_budget_is_a_skip_with_what_would_decide(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"GET /a" = "p99<10min"')

    result = run("--withstand-slo", "-rs", "--withstand-budget=50ms")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["*inconclusive: GET /a p99<600s: 0 of * it takes at least 429 requests to meet it*"]
    )


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("", "--withstand-slo finds no objective"),
        ('"GET /nowhere" = "p95<1s"', "which is no operation of Counted"),
    ],
)
def test_nothing_to_hold_the_api_against_is_an_error_of_the_file(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi, slo: str, said: str
) -> None:
    promise(project, counted_api, slo)

    result = run("--withstand-slo")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*{said}*", "ERROR withstand.toml*"])


def test_without_a_configuration_the_option_is_refused(
    run: RunProject, project: pytest.Pytester
) -> None:
    (project.path / ".git").mkdir()
    result = run("--withstand-slo")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no withstand.toml*"])


def test_a_target_that_is_not_there_fails_every_item_with_one_sentence(
    run: RunProject, project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = "p95<10min"')

    result = run("--withstand-slo", "--api-url=http://127.0.0.1:9")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["http://127.0.0.1:9 does not answer*"])


@pytest.mark.slow
def test_the_demo_is_held_against_its_own_objectives(
    run: RunProject, project: pytest.Pytester
) -> None:
    with running() as demo:
        text = config_of(demo)
        assert '"*" = ["p95<250ms", "errors<3%"]' in text
        write_configuration(
            project, text.replace('["p95<250ms", "errors<3%"]', '["p95<10min", "p50<1ns"]')
        )
        result = run("--withstand-slo", "-k", "orders")

    result.assert_outcomes(passed=2, failed=2, deselected=16)


@pytest.mark.slow
def test_under_xdist_one_worker_measures_for_all(
    project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = ["p95<10min", "errors<50%", "p90<10min"]')

    result = project.runpytest_subprocess(
        *("-p", "xdist", "-p", "withstand.pytest_plugin", "-p", "no:cacheprovider"),
        *("-n2", "--withstand-slo", "--junitxml=results.xml", "-v"),
        timeout=170,
    )

    result.assert_outcomes(passed=6)
    assert {"[gw0]", "[gw1]"} <= set(re.findall(r"\[gw\d\]", result.stdout.str()))
    for operation in ("/a", "/b"):
        expected = _BEFORE + requests_said(project, f"GET {operation}")
        assert counted_api.asked[operation] == expected


@pytest.mark.slow
def test_under_xdist_every_item_tells_the_problem_that_one_worker_met(
    project: pytest.Pytester, counted_api: CountedApi
) -> None:
    promise(project, counted_api, '"*" = ["p95<10min", "errors<50%"]')

    result = project.runpytest_subprocess(
        *("-p", "xdist", "-p", "withstand.pytest_plugin", "-p", "no:cacheprovider"),
        *("-n2", "--withstand-slo", "--api-url=http://127.0.0.1:9"),
        timeout=170,
    )

    result.assert_outcomes(failed=4)
    assert result.stdout.str().count("does not answer") >= 4
