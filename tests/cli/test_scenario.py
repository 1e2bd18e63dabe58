"""Scenario files and weights against the real demo, and what is said when they are wrong."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def configured(folder: Path, demo: RunningDemo) -> Path:
    (folder / "withstand.toml").write_text(config_of(demo))
    return folder


def loaded(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "run.json").read_text())["load"]
    return document


def counts(run: dict[str, Any]) -> dict[str, int]:
    return {
        name: sum((*each["statuses"].values(), *each["failures"].values()))
        for name, each in run["operations"].items()
    }


def test_the_example_of_the_documentation_runs_as_it_stands(
    invoke: Invoke, configured: Path
) -> None:
    page = (DOCS / "scenario-files.md").read_text()
    (example,) = (
        text for text in re.findall(r"^```toml\n(.*?)^```$", page, re.M | re.S) if "[feeds]" in text
    )
    (configured / "shop.toml").write_text(example)
    for name in ("example.products.csv", "example.searches.jsonl"):
        shutil.copy(DOCS / name, configured)

    outcome = invoke(
        "load", "shop.toml", "-q", "--rate", "60/s", "-t", "500ms", "--json", "run.json"
    )

    run = loaded(configured)
    assert outcome.code == 0, outcome.said
    assert set(run["operations"]) == {"search", "product", "checkout", "label"}
    assert run["sent"] == 30
    for name, operation in run["operations"].items():
        assert operation["rejected"] == {}, name
        assert operation["unexpected"] == 0, name
        assert operation["failures"] == {}, name
    assert set(run["operations"]["checkout"]["statuses"]) == {"201"}
    sent = counts(run)
    assert sent["search"] > sent["product"] > sent["checkout"]
    assert "connect p50" in outcome.said


def test_a_rejected_response_is_an_error_whose_reason_is_reported(
    invoke: Invoke, configured: Path
) -> None:
    (configured / "s.toml").write_text(
        '[[requests]]\nname = "health"\nrequest = "GET /health"\n'
        'expect = { json = { "$.status" = "sleepy" } }\n[slo]\nhealth = "errors<1%"\n'
    )
    outcome = invoke(
        *("load", "s.toml", "-q", "--rate", "200", "-t", "200ms"),
        *("--json", "run.json", "--html", "run.html"),
    )
    assert outcome.code == 1, outcome.said
    reason = '40 rejected: $.status is not "sleepy"'
    assert reason in outcome.said
    assert reason.replace('"', "&#34;") in (configured / "run.html").read_text()
    assert loaded(configured)["operations"]["health"]["statuses"] == {"200": 40}


def test_identities_log_in_before_the_load_and_only_those_that_are_named(
    invoke: Invoke, configured: Path
) -> None:
    file = configured / "withstand.toml"
    file.write_text(file.read_text().replace("bob-collects-kettles", "forgotten"))
    text = '[[requests]]\nrequest = "GET /orders"\nidentity = "{}"\nexpect.status = 200\n'
    (configured / "s.toml").write_text(text.format("alice"))
    arguments = ("load", "s.toml", "-q", "--rate", "40", "-t", "250ms", "--json", "run.json")
    assert invoke(*arguments).code == 0
    assert loaded(configured)["operations"]["GET /orders"]["statuses"] == {"200": 10}

    (configured / "s.toml").write_text(text.format("*"))
    outcome = invoke(*arguments)
    assert outcome.code == 3
    assert "cannot log in as bob" in outcome.said


def test_weights_of_flags_and_of_the_configuration_make_the_mix(
    invoke: Invoke, configured: Path
) -> None:
    file = configured / "withstand.toml"
    file.write_text(file.read_text() + '\n[load.weights]\n"GET /health" = 2\n"GET /products" = 9\n')
    invoke(
        *("load", "-q", "--rate", "100", "-t", "400ms", "--json", "run.json"),
        *("-o", "GET /products=1", "-o", "GET /health", "-o", "GET /manuals=5"),
    )
    sent = counts(loaded(configured))
    assert sum(sent.values()) == 40
    assert sent["GET /manuals"] > sent["GET /health"] > sent["GET /products"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "GET /health=0"), "the weight '0' is no number above zero"),
        (("-o", "GET /health=often"), "the weight 'often' is no number above zero"),
        (("-o", "GET /helth=2"), "no operation of the document is called 'GET /helth'"),
        (("nowhere.toml",), "there is no scenario file nowhere.toml"),
        (("s.toml", "-o", "GET /health"), "choose from a document"),
        (("s.toml", "--slo", "helth: p95<1s"), "which is no request of s.toml"),
        (("--proxy", "socks5://ann:s3cret@h:1", "-o", "GET /health"), "socks5://"),
        (("--proxy", "http://h:1", "--no-proxy"), "contradict each other"),
        (("--cert", "nowhere.pem", "-o", "GET /health"), "there is no file"),
        (("--connect-timeout", "soon", "-o", "GET /health"), "'soon' is no duration"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    invoke: Invoke, configured: Path, arguments: tuple[str, ...], said: str
) -> None:
    (configured / "s.toml").write_text('[[requests]]\nrequest = "GET /health"\n')
    outcome = invoke("load", "-q", "-t", "1s", *arguments)
    assert outcome.code == 2
    assert said in outcome.said
    assert "s3cret" not in outcome.said


def test_a_weight_on_no_operation_of_the_document_is_told(invoke: Invoke, configured: Path) -> None:
    file = configured / "withstand.toml"
    file.write_text(file.read_text() + '\n[load.weights]\n"GET /helth" = 2\n')
    outcome = invoke("load", "-q", "-t", "1s", "-o", "GET /health")
    assert outcome.code == 2
    assert "a weight is given for 'GET /helth', which is no operation" in outcome.said


def test_a_proxys_credential_is_in_no_report(
    invoke: Invoke, configured: Path, monkeypatch: pytest.MonkeyPatch, demo: RunningDemo
) -> None:
    # The demo answers requests that name their whole address, so it can play the proxy.
    proxy = demo.words["url"].replace("://", "://ann:s3cret@")
    arguments = [
        *("load", f"{demo.words['url']}/health", "-q", "--rate", "40", "-t", "250ms"),
        *("--proxy", proxy, "--no-keep-alive", "--json", "run.json", "--html", "run.html"),
    ]
    monkeypatch.setattr("sys.argv", ["withstand", *arguments])
    outcome = invoke(*arguments)
    run = loaded(configured)
    assert run["operations"]["GET /health"]["statuses"] == {"200": 10}
    masked = demo.words["url"].replace("://", "://***@")
    assert run["conditions"] == [f"through the proxy {masked}", "a new connection for each request"]
    assert masked in outcome.said
    for text in (
        outcome.said,
        (configured / "run.json").read_text(),
        (configured / "run.html").read_text(),
    ):
        assert "s3cret" not in text
