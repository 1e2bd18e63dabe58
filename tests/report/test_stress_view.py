"""The search for the sustainable rate as the reports show it."""

import io
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.console import Console

from tests.report.stress_sample import measured, stress_only
from withstand.load.stress import StressStep
from withstand.report.headline import headline
from withstand.report.html import render_html
from withstand.report.stress_charts import answered_chart, quantile_chart
from withstand.report.stress_view import facts, remarks, step_rows, step_text
from withstand.report.terminal import render
from withstand.results import Results
from withstand.slo.capacity import Capacity
from withstand.stats.capacity import Bracket, Purpose


def found(results: Results) -> Capacity:
    capacity = results.capacity()
    assert capacity is not None
    return capacity


def printed(results: Results, width: int) -> list[str]:
    file = io.StringIO()
    render(results, Console(file=file, width=width))
    return file.getvalue().splitlines()


def test_the_figures_are_those_of_the_search() -> None:
    capacity = found(stress_only())
    shown = {label: figure for label, figure, _ in facts(capacity)}
    assert shown["Sustainable rate"] == f"{capacity.sustainable_per_s:.0f}/s"
    low, high = capacity.bracket.low_per_s, capacity.bracket.high_per_s
    assert shown["Limit"] == f"{low:.0f}/s to {high:.0f}/s"
    assert shown["Limited by"] == "p95<100ms"
    assert shown["Breaks at"] == "655/s"


def test_steps_are_shown_by_rate_with_what_was_breached() -> None:
    rows = step_rows(stress_only(), found(stress_only()))
    assert len(rows) == len(measured().steps)
    assert all(one.rate_per_s <= other.rate_per_s for one, other in pairwise(rows))
    assert "p95<100ms" in rows[-1].note
    assert "of 655.4 a second were answered" in rows[-1].note


def test_the_sweep_has_its_law_and_its_peak() -> None:
    said = " ".join(remarks(found(stress_only())))
    assert "Universal scalability law: sigma 0.05" in said
    assert "Throughput peaks at about 31" in said
    flat = replace(measured(), sweep=measured().sweep[:5])
    said = " ".join(remarks(found(replace(stress_only(), stress=flat))))
    assert "No peak is given: throughput was not seen to fall up to 16 users." in said


def test_an_interrupted_search_says_so_and_judges_what_it_has() -> None:
    cut = replace(measured(), steps=measured().steps[:4], interrupted=True)
    results = replace(stress_only(), stress=cut, interrupted=True)
    assert "The search was stopped before its end." in remarks(found(results))
    assert headline(results) == (
        "The objectives were met at 256/s at first, which was not confirmed and the run was "
        "interrupted."
    )


@pytest.mark.parametrize(
    ("required", "code"), [(None, 3), (250.0, 0), (1_000.0, 3)], ids=["none", "met", "beyond"]
)
def test_a_generator_at_its_limit_voids_the_run_only_if_the_answer_hangs_on_it(
    required: float | None, code: int
) -> None:
    def saturated(step: StressStep) -> StressStep:
        generator = replace(step.load.generator, saturated="the generator sent only 90 %")
        return replace(step, load=replace(step.load, generator=generator))

    *ramp, beyond = measured().steps[:4]
    hold = replace(ramp[-1], purpose=Purpose.HOLD)
    stress = replace(
        measured(),
        plan=replace(measured().plan, required_per_s=required),
        steps=(*ramp, saturated(beyond), saturated(beyond), hold),
    )
    results = replace(stress_only(), stress=stress)
    assert found(results).sustainable_per_s == hold.rate_per_s
    assert results.exit_code() == code
    assert ("sent only 90 %" in headline(results)) is (code == 3)


def test_an_api_that_did_not_come_back_has_failed() -> None:
    lost = replace(measured(), lost="nothing answers at http://127.0.0.1:8000")
    results = replace(stress_only(), stress=lost)
    assert results.exit_code() == 1
    assert "did not answer any more after 655/s" in headline(results)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_shows_every_step_whatever_its_width(width: int) -> None:
    lines = printed(stress_only(), width)
    steps = [line for line in lines if re.match(r"  [✓✗?] +\d+/s", line)]
    assert len(steps) == len(measured().steps)
    assert any("GET /users was left out" in line for line in lines)
    assert all(len(line) <= width for line in lines)


def test_the_page_has_both_curves_and_the_table() -> None:
    page = render_html(stress_only())
    assert page.count('<figure class="curve rates">') == 2
    assert page.count("<circle") == 2 * len(measured().steps)
    assert "Throughput by users" in page


def test_a_point_on_the_diagonal_answered_all_that_was_asked() -> None:
    rows = step_rows(stress_only(), found(stress_only()))
    whole = [replace(row, answered_per_s=row.rate_per_s) for row in rows]
    chart = answered_chart(whole, Bracket(low_per_s=1.0, high_per_s=None, held=True))
    (x0, y0), (x1, y1) = (map(float, pair.split(",")) for pair in chart.reference.split())
    for point in chart.points:
        assert (point.x - x0) / (x1 - x0) == pytest.approx((point.y - y0) / (y1 - y0), abs=1e-3)
    assert chart.band is None


def test_without_a_single_time_there_is_no_curve_of_times() -> None:
    rows = [
        replace(row, quantile_ns=None) for row in step_rows(stress_only(), found(stress_only()))
    ]
    assert quantile_chart(rows, found(stress_only()).bracket, None) is None


def test_a_judged_step_is_one_line() -> None:
    first, last = found(stress_only()).steps[0], found(stress_only()).steps[-1]
    assert step_text(first) == "✓ 100/s met after 5 s"
    assert "\n" not in step_text(last)
