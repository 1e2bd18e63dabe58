"""`withstand selftest` as it is typed."""

import json
from pathlib import Path

import pytest

from .conftest import Invoke


@pytest.mark.slow
def test_a_short_self_test_prints_every_table_and_agrees_unless_the_machine_is_busy(
    invoke: Invoke, folder: Path
) -> None:
    options = ("--rate", "400/s", "--every", "500ms", "--stall", "200ms", "-t", "1s", "-c", "5")
    outcome = invoke("selftest", "--quick", "-q", "--json", "out", *options)
    assert outcome.code in {0, 3}, outcome.said
    for title in ("Stalls, 5 connections", "Known distribution", "Evenness", "Send lag"):
        assert title in outcome.out
    values = json.loads((folder / "out").read_text())
    assert values["exit_code"] == outcome.code
    counts = [
        row
        for section in values["sections"]
        for row in section["rows"]
        if row["what"].startswith("requests")
    ]
    assert len(counts) > 9
    assert {row["agreement"] for row in counts} == {"agrees"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--stall", "5s"), "a stall of 5 s in every 5 s is not possible"),
        (("-t", "0s"), "--run-time is 0s"),
        (("--against", "siege"), "'siege' is no load generator"),
        (("--json", "no/such/folder/x"), "cannot be written"),
        (("--rate", "fast"), "'fast' is no rate"),
    ],
)
def test_a_mistake_is_refused_before_anything_runs(
    invoke: Invoke, arguments: tuple[str, ...], sentence: str
) -> None:
    outcome = invoke("selftest", *arguments)
    assert outcome.code == 2
    assert sentence in outcome.said
