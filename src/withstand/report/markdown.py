"""A run in Markdown: for a job summary or a comment on a pull request. Pure.

A job summary of GitHub holds 1 MiB, and one byte more is shown as nothing at all: the text is
bounded, and its tail gives way. Whatever came from the API stands in code, where it is no markup.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from withstand.report import suite_view
from withstand.report.finding_text import curl_of, place
from withstand.report.headline import headline
from withstand.report.scan_wording import (
    accepted_until,
    coverage_by_check,
    gaps,
    idle_checks,
    notes,
    run_facts,
    upkeep,
)
from withstand.report.wording import (
    CONCLUSION_SYMBOL,
    CONCLUSION_WORD,
    COVERAGE_WORD,
    VERDICT_SYMBOL,
    by_urgency,
    observation,
    outcome,
    plural,
    printable,
)
from withstand.results import Results
from withstand.scan.finding import Finding
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.sharding.suite import SuiteRecord

LONGEST_BYTES: Final = 900_000
_MOST_ROWS: Final = 50
_MOST_NAMES: Final = 5


def render_markdown(results: Results, *, longest_bytes: int = LONGEST_BYTES) -> str:
    """The verdict, findings, objectives and what was not tested, in at most so many bytes."""
    parts = list(_parts(results))
    text, used = "", 0
    for at, part in enumerate(parts):
        used += len(part.encode("utf-8", "replace"))
        left = len(parts) - at
        tail = f"\n{plural(left, 'part')} more did not fit: see the report of the run.\n"
        if used + len(tail) > longest_bytes:
            return text + tail
        text += part
    return text


def _parts(results: Results) -> Iterator[str]:
    conclusion = results.conclusion()
    title = results.subject()
    target = f"{_code(results.base_url)} · " if results.base_url else ""
    yield (
        f"## {CONCLUSION_SYMBOL[conclusion]} {CONCLUSION_WORD[conclusion]}: {_plain(title)}\n\n"
        f"{_plain(headline(results))}\n\n"
        f"{target}Withstand {_plain(results.version)}\n"
    )
    if facts := run_facts(results):
        yield f"\n{_plain(' '.join(facts))}\n"
    if results.scan is not None:
        yield from _findings(results, results.scan)
    if results.suite is not None:
        yield from _tests(results.suite)
    yield from _list("To look after", upkeep(results))
    if verdicts := by_urgency(results.verdicts()):
        rows = [
            f"| {VERDICT_SYMBOL[each.state]} | {_cell(each.objective.text)} | "
            f"{_cell(each.operation)} | {_plain(observation(each))} |"
            for each in verdicts
        ]
        yield from _table("Objectives", ("", "objective", "operation", "observed"), rows)
    if results.scan is not None:
        yield from _coverage(results)


def _tests(suite: SuiteRecord) -> Iterator[str]:
    yield f"\n{_plain(suite_view.summary(suite))}\n"
    rows = [
        f"| {'✗' if each.failed else '?'} | {_cell(each.nodeid)} | {each.shard} | "
        f"{_plain(each.said)} |"
        for each in suite_view.rows(suite)
    ]
    yield from _table("Tests", ("", "test", "shard", "what happened"), rows)


def _findings(results: Results, scan: ScanRecord) -> Iterator[str]:
    standing = results.findings()
    rows = [
        f"| {each.severity} | {_cell(each.check)} | {_places(each)} | {_plain(each.title)} | "
        f"{'yes' if results.fails(each) else 'no'} |"
        for each in standing
    ]
    yield from _table("Findings", ("severity", "check", "operation", "found", "fails"), rows)
    for finding in standing:
        yield _details(finding)
    yield from _list(
        f"Known, in {scan.baseline_file}",
        [
            f"{each.severity}: {each.check} on {place(each)}, {each.fingerprint}"
            for each in scan.known
        ],
    )
    yield from _list(
        "Accepted",
        [
            f"{each.finding.severity}: {each.finding.check} on {place(each.finding)}: "
            f"{accepted_until(each)}"
            for each in scan.suppressed
        ],
    )


def _details(finding: Finding) -> str:
    lines = [
        f"\n<details><summary>{_html(finding.title)}: {_html(place(finding)[:200])}</summary>\n",
        f"{_code(finding.detail)}\n",
    ]
    for item in finding.evidence:
        request = item.exchange.request
        sent = f"{request.method} {request.path}"[:300]
        shown = f", proof {_code(item.highlight[:300])}" if item.highlight else ""
        lines.append(
            f"- {_plain(item.caption)}: {_code(sent)} → {_code(outcome(item.exchange))}{shown}"
        )
    if finding.proof is not None and finding.proof.curl:
        lines.append(_fenced(curl_of(finding.proof), "sh"))
    lines.append(f"\n{_plain(' '.join(finding.remedy.split()))}\n")
    again = f"withstand replay {finding.fingerprint}"
    lines.append(f"Again: {_code(again)} · {_code(f'withstand explain {finding.check}')}\n")
    lines.append("</details>\n")
    return "\n".join(lines)


def _coverage(results: Results) -> Iterator[str]:
    states = [state for state in CoverageState if state is not CoverageState.NOT_APPLICABLE]
    idle = idle_checks(results)
    rows = [
        f"| {_cell(check)} | " + " | ".join(str(counts[state] or "") for state in states) + " |"
        for check, counts in coverage_by_check(results).items()
        if check not in idle
    ]
    yield from _table("Coverage", ("check", *(COVERAGE_WORD[state] for state in states)), rows)
    if idle:
        names = ", ".join(_code(check) for check in idle)
        yield f"\n{plural(len(idle), 'check')} had nothing to look at: {names}\n"
    untested = [
        *notes(results),
        *(
            f"{COVERAGE_WORD[gap.state]}: {gap.reason}: {_some(gap.checks)}"
            + (f" on {_some(gap.operations)}" if gap.operations else "")
            for gap in gaps(results)
        ),
    ]
    yield from _list("Not tested", untested)


def _table(title: str, headings: tuple[str, ...], rows: list[str]) -> Iterator[str]:
    if not rows:
        return
    head = f"| {' | '.join(headings)} |\n|{' --- |' * len(headings)}\n"
    more = len(rows) - _MOST_ROWS
    end = f"\n{more:,} more are in the report.\n" if more > 0 else ""
    yield f"\n### {title}\n\n{head}" + "\n".join(rows[:_MOST_ROWS]) + "\n" + end


def _list(title: str, items: list[str] | tuple[str, ...]) -> Iterator[str]:
    if items:
        more = len(items) - _MOST_ROWS
        end = f"- {more:,} more are in the report.\n" if more > 0 else ""
        lines = "".join(f"- {_plain(item)}\n" for item in items[:_MOST_ROWS])
        yield f"\n### {_plain(title)}\n\n{lines}{end}"


def _places(finding: Finding) -> str:
    shown = ", ".join(_cell(key) for key in finding.operations[:_MOST_NAMES]) or "the whole API"
    more = len(finding.operations) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def _plain(text: str) -> str:
    """Text that is no markup, whatever it says."""
    line = printable(" ".join(text.split()))
    return re.sub(r"([\\`*_{}\[\]<>#|~@!])", r"\\\1", line).replace("://", ":\\//")


def _html(text: str) -> str:
    """Text within an element, where a backslash escapes nothing."""
    return html.escape(printable(" ".join(text.split())))


def _code(text: str) -> str:
    """Inline code, whose fence is longer than any in the text."""
    line = printable(" ".join(text.split())) or " "
    fence = _fence(line, "`")
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|")


def _fenced(text: str, language: str) -> str:
    shown = printable(text)
    fence = _fence(shown, "```")
    return f"\n{fence}{language}\n{shown}\n{fence}\n"


def _fence(text: str, least: str) -> str:
    runs = [len(run) for run in re.findall("`+", text)]
    return "`" * max(len(least), max(runs, default=0) + 1)
