"""`withstand scan`, `check` and `access` with `--shard K/N`, and their merge, against the demo."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, config_of
from tests.demo.running import RunningDemo

CHEAP = (
    *("--profile", "readonly"),
    *("--check", "missing-credential-accepted", "--check", "stack-trace-in-response"),
)


@pytest.fixture
def configured(folder: Path, demo: RunningDemo) -> Path:
    (folder / "withstand.toml").write_text(config_of(demo))
    return folder


def stored(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def cells_of(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(cell["check"], cell["operation"]) for cell in document["scan"]["coverage"]]


def test_two_shards_of_a_scan_are_the_scan(
    invoke: Invoke, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_SHA", "abc1234")
    for number in (1, 2):
        shard = invoke(
            "scan", "-q", *CHEAP, "--shard", f"{number}/2", "--json", f"{number}.json", "--strict"
        )
        assert shard.code == 0, shard.said
        assert f"Shard {number}/2 of the run: the other tests are in the others." in shard.said

    merged = invoke("merge", "1.json", "2.json", "-o", "whole.json", "--html", "whole.html")
    assert merged.code == 0, merged.said
    assert "All 2 shards of the run, merged." in merged.said
    assert "All 2 shards of the run, merged." in (configured / "whole.html").read_text()
    whole = stored(configured / "whole.json")["scan"]
    parts = [cells_of(stored(configured / f"{number}.json")) for number in (1, 2)]
    assert all(parts)
    assert not set(parts[0]) & set(parts[1])
    assert len(parts[0]) + len(parts[1]) == len(whole["operations"]) + 1
    assert [shard["number"] for shard in whole["shards"]] == [1, 2]
    assert stored(configured / "whole.json")["commit"] == "abc1234"
    twice = invoke("merge", "1.json", "2.json", "1.json")
    assert twice.code == 2
    assert "shard 1/2 is there twice" in twice.said


def test_two_shards_of_a_check_try_each_operation_once(invoke: Invoke, configured: Path) -> None:
    slos = ("--slo", "GET /health: errors<50%", "--slo", "GET /orders: errors<50%")
    for number in (1, 2, 3, 4):
        shard = invoke(
            *("check", "-q", "--only", "slo", "--strict", *slos),
            *("--shard", f"{number}/4", "--json", f"{number}.json"),
        )
        assert shard.code == 0, shard.said
    tried = [stored(configured / f"{n}.json")["trials"]["operations"] for n in (1, 2, 3, 4)]
    assert sorted(key for each in tried for key in each) == ["GET /health", "GET /orders"]
    assert max(map(len, tried)) == 1, "the test needs them apart"

    merged = invoke("merge", *(f"{number}.json" for number in (1, 2, 3, 4)))
    assert merged.code == 0, merged.said
    assert "All 2 objectives are met" in merged.said
    without = invoke("merge", "1.json", "2.json", "4.json")
    assert without.code == 3
    assert "shard 3/4 is missing, so its operations were not tried" in without.said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("access", "--approve", "--shard", "1/2"), "--approve writes down the whole matrix"),
        (
            ("scan", "--update-baseline", "--baseline", "known.json", "--shard", "1/2"),
            "--update-baseline writes down all findings",
        ),
        (("scan", "--shard", "0/2"), "shards count from 1 to 2"),
        (("check", "--shard", "half"), "'half' is no shard"),
    ],
)
def test_what_needs_the_whole_and_what_is_no_shard_is_refused(
    invoke: Invoke, configured: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    outcome = invoke(*arguments)
    assert outcome.code == 2
    assert sentence in outcome.said


def test_the_shards_of_an_access_matrix_have_a_row_of_each_operation(
    invoke: Invoke, configured: Path
) -> None:
    for number in (1, 2):
        shard = invoke(
            *("access", "-q", "--profile", "readonly"),
            *("--shard", f"{number}/2", "--json", f"{number}.json"),
        )
        assert "--approve" not in shard.said, "a shard has not the whole matrix"
    merged = invoke("merge", "1.json", "2.json", "-o", "whole.json")

    def rows(name: str) -> set[str]:
        return {row["operation"] for row in stored(configured / name)["scan"]["access"]}

    assert "is missing" not in merged.said
    assert not rows("1.json") & rows("2.json")
    assert rows("whole.json") == set(stored(configured / "whole.json")["scan"]["operations"])
