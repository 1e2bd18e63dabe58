"""Reports draw the trends of a history, say what is slower, and call nothing slower too early."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from tests.report import sample, trend_sample
from tests.report.test_html import Outline
from withstand.report.html import render_html
from withstand.report.sparkline import HEIGHT, WIDTH, blocks, sparkline
from withstand.report.terminal import render
from withstand.report.terminal_trends import points_table
from withstand.report.trend_wording import remarks
from withstand.slo.trend import Standing, Trend


def printed(trends: tuple[Trend, ...], width: int = 100) -> str:
    file = io.StringIO()
    render(sample.load_only(), Console(file=file, width=width), trends)
    return file.getvalue()


def test_the_terminal_report_draws_every_trend_and_says_what_is_slower() -> None:
    text = printed(trend_sample.trends())
    for trend in trend_sample.trends():
        assert re.search(rf"{re.escape(trend.name)} +[▁▂▃▄▅▆▇█]{{3,}} +\d", text), trend.name
    joined = " ".join(text.split())
    assert "✗ POST /orders is slower than its history: p95 231 ms" in joined
    assert "? GET /orders/{id} is slower than its history: p95 130 ms" in joined
    assert "one run proves nothing" in joined
    assert (
        "of 5 operations 1 cannot be called slower before there are 20 runs: 17 runs to go"
        in joined
    )
    assert "GET /health is slower" not in joined


def test_without_a_history_no_report_speaks_of_one() -> None:
    assert "History" not in printed(())
    assert "history" not in Outline(render_html(sample.load_only())).text.lower()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for trends in (trend_sample.trends(), trend_sample.rates()):
        text = printed(trends, width)
        section = text[text.index("History") :]
        assert max(map(len, section.splitlines())) <= width


def test_a_sustainable_rate_is_shown_without_a_judgement() -> None:
    text = printed(trend_sample.rates())
    assert re.search(r"sustainable rate +[▁▂▃▄▅▆▇█]{4} +290/s +-17", text)
    assert remarks(trend_sample.rates()) == []


def test_a_slow_machine_is_named_before_the_api_is_blamed() -> None:
    slow = trend_sample.trend("GET /users", trend_sample.nights(29, 80.0, 130.0), slow_by=1.4)
    texts = [remark.text for remark in remarks((slow,))]
    assert len(texts) == 2
    assert "the machine itself was slower than it usually is" in texts[1]
    assert "40 % longer" in texts[1]


def test_remarks_come_with_the_gravest_first() -> None:
    said = [remark.standing for remark in remarks(trend_sample.trends())]
    assert said == [Standing.CONFIRMED, Standing.SLOWER, None]


def test_the_runs_of_a_trend_are_listed_with_what_was_said_of_each() -> None:
    (trend,) = (t for t in trend_sample.trends() if t.name == trend_sample.SLOWER_TWICE)
    file = io.StringIO()
    Console(file=file, width=100, force_terminal=True, color_system="standard").print(
        points_table(trend)
    )
    lines = file.getvalue().splitlines()[1:]
    assert len(lines) == 30
    assert "\x1b[1;31m+" in lines[0]
    assert "\x1b[33m+" in lines[1]
    assert all("\x1b" not in line for line in lines[2:])


def test_the_page_has_a_line_for_each_trend_and_a_point_at_its_latest_run() -> None:
    outline = Outline(render_html(sample.load_only(), trend_sample.trends()))
    drawings = [attributes for tag, attributes in outline.elements if tag == "svg"]
    sparks = [each for each in drawings if each.get("class") == "spark"]
    assert len(sparks) == len(trend_sample.trends())
    assert "POST /orders over 30 runs, the latest 231 ms" in (sparks[2]["aria-label"] or "")
    points = [attributes["class"] for tag, attributes in outline.elements if tag == "circle"]
    assert points == ["", "inconclusive", "breached", "", ""]
    assert "POST /orders is slower than its history" in outline.text
    assert ("a", {"href": "#history"}) in outline.elements


def test_a_hostile_operation_name_adds_no_element_to_the_page() -> None:
    plain, *_ = trend_sample.trends()
    hostile = replace(plain, name='"><script>alert(1)</script>{{ 7*7 }}')
    pages = [Outline(render_html(sample.load_only(), (each,))).tags() for each in (plain, hostile)]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("levels_ms", [[10.0], [10.0, 10.0], [1.0, 1_000.0], [10.0, 12.0, 9.0]])
def test_a_line_stays_within_its_drawing_and_ends_at_its_right(levels_ms: list[float]) -> None:
    line = sparkline(trend_sample.trend("GET /", levels_ms))
    points = [tuple(map(float, pair.split(","))) for pair in line.points.split()]
    assert len(points) == len(levels_ms)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[-1] == pytest.approx(line.latest, abs=0.1)
    assert line.latest[0] > WIDTH * 0.9
    assert (line.usual is None) == (len(levels_ms) == 1)


def test_what_is_higher_stands_higher_and_small_changes_are_no_mountains() -> None:
    assert blocks(trend_sample.trend("GET /", [10.0, 100.0, 31.0]), 9) == "▁█▄"
    flat = blocks(trend_sample.trend("GET /", [100.0, 102.0, 101.0]), 9)
    assert set(flat) <= set("▄▅")
    assert blocks(trend_sample.trend("GET /", [1.0, 2.0, 4.0]), 2) == "▅█"
