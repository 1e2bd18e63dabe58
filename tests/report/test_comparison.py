"""How a comparison reads on a terminal, in Markdown and as JSON."""

import io
import json
from dataclasses import replace

from rich.console import Console

from tests.slo.test_comparison import measured, restarts
from withstand.load.comparison import ComparisonMeasurement
from withstand.report.comparison_files import comparison_json, comparison_markdown
from withstand.report.comparison_view import headline
from withstand.report.terminal_comparison import render_comparison
from withstand.slo.comparison import judge_comparison


def printed(found: ComparisonMeasurement, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    render_comparison(found, judge_comparison(found), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_first_line_says_by_how_much_and_between_which_bounds() -> None:
    text = headline(judge_comparison(measured({"GET /a": restarts(1.25)})))
    assert text.startswith("B is worse: GET /a p")
    assert " % slower (" in text
    assert text.endswith("and 1 other difference")


def test_a_table_fits_a_wide_terminal_and_lines_a_narrow_one() -> None:
    found = replace(
        measured({"GET /a": restarts(1.25)}), left_out={"GET /b": "on B: it answered 404"}
    )
    wide, narrow = printed(found, 140), printed(found, 60)
    assert "could have seen" in wide
    assert any("GET /a" in line and "✗ slower" in line for line in wide.splitlines())
    assert max(map(len, narrow.splitlines())) <= 60
    for text in (wide, narrow):
        assert "not compared: GET /b: on B: it answered 404" in " ".join(text.split())


def test_without_restarts_it_says_what_that_cannot_tell() -> None:
    found = replace(measured({"GET /a": restarts(1.0)}), restarted=False)
    assert "the servers were not restarted" in " ".join(printed(found, 140).split())


def test_what_is_decided_about_latency_alone_is_not_hidden_by_undecided_errors() -> None:
    few = measured({"GET /a": restarts(1.0, count=20, blocks=1, requests=12)}, requests=12)
    verdict = judge_comparison(few, margin=0.4)
    assert headline(verdict).startswith("B is not slower than A by 40 % or more, but too few")


def test_no_name_becomes_markup_in_a_comment() -> None:
    found = measured({"GET /a|b<img src=x>": restarts(1.0)})
    text = comparison_markdown(found, judge_comparison(found))
    assert "<img" not in text
    rows = [line for line in text.splitlines() if line.startswith("| GET")]
    assert all(line.count("|") - line.count("\\|") == 8 for line in rows)


def test_the_json_holds_the_verdict_and_every_time_it_was_made_from() -> None:
    found = measured({"GET /a": restarts(1.25, count=3, blocks=2)})
    document = json.loads(comparison_json(found, judge_comparison(found), command="x"))
    assert document["state"] == "worse"
    assert len(document["measured"]["GET /a"]) == 3
    block = document["measured"]["GET /a"][0][0]
    assert len(block["a"]["times_ns"]) == 100
    assert document["differences"][0]["low"] > document["margin"]
