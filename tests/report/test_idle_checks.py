"""What had nothing to look at is named once, and what reassures is no gap."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from tests.report import sample, scan_sample
from tests.report.test_html import Outline
from withstand.report.html import render_html
from withstand.report.html_view import matrix, whole_api
from withstand.report.markdown import render_markdown
from withstand.report.terminal import render
from withstand.results import Results, merge
from withstand.scan.records.record import Coverage, CoverageState

FACT = "After the scan alice and root still log in as configured."
IDLE = "2 checks had nothing to look at"


def _printed(results: Results) -> str:
    console = Console(file=StringIO(), width=80, force_terminal=False)
    render(results, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _with_idle_checks() -> Results:
    results = sample.scan_only()
    assert results.scan is not None
    idle = (
        Coverage(
            check="open-to-graphs",
            operation=None,
            state=CoverageState.NOT_APPLICABLE,
            reason="no GraphQL endpoint answers",
        ),
        *(
            Coverage(check="files-of-others", operation=place, state=CoverageState.NOT_APPLICABLE)
            for place in scan_sample.OPERATIONS
        ),
        # One operation has nothing to look at, the others have: the check keeps its row.
        Coverage(check="bola-read", operation="GET /ping", state=CoverageState.NOT_APPLICABLE),
    )
    scan = replace(results.scan, coverage=(*results.scan.coverage, *idle), facts=(FACT,))
    return replace(results, scan=scan)


def test_checks_with_nothing_to_look_at_are_one_line_of_the_terminal() -> None:
    text = _printed(_with_idle_checks())
    starts = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert "files-of-others" not in starts
    assert "bola-read" in starts
    assert f"{IDLE}: files-of-others, open-to-graphs" in " ".join(text.split())
    assert "not applicable" not in " ".join(text.split())


def test_the_page_folds_them_and_keeps_their_reasons() -> None:
    results = _with_idle_checks()
    assert results.scan is not None
    assert "files-of-others" not in matrix(results.scan).checks
    assert "bola-read" in matrix(results.scan).checks
    assert "open-to-graphs" not in {cell.check for cell in whole_api(results.scan)}
    text = " ".join(Outline(render_html(results)).text.split())
    assert IDLE in text
    assert "no GraphQL endpoint answers" in text


def test_a_summary_in_markdown_has_one_line_of_them() -> None:
    text = render_markdown(_with_idle_checks())
    assert f"{IDLE}: `files-of-others`, `open-to-graphs`" in text
    assert "| `files-of-others` |" not in text


def test_a_report_without_them_says_nothing_of_them() -> None:
    for text in (_printed(sample.sample()), render_markdown(sample.sample())):
        assert "nothing to look at" not in text
    assert "nothing to look at" not in render_html(sample.sample())


def test_what_reassures_stands_with_the_facts_and_not_among_what_was_not_tested() -> None:
    results = _with_idle_checks()
    head, _, rest = _printed(results).partition("Findings ─")
    assert FACT in head
    assert FACT not in rest
    summary = render_markdown(results)
    assert summary.index(FACT) < summary.index("### Findings")
    assert summary.count(FACT) == 1
    page = render_html(results)
    assert page.count(FACT) == 1
    assert f'<p class="fact">{FACT}</p>' in page


def test_shards_that_say_the_same_fact_say_it_once() -> None:
    results = _with_idle_checks()
    whole = merge(results, results)
    assert whole.scan is not None
    assert whole.scan.facts == (FACT,)
