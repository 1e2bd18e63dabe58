"""What fails a run as commands that a CI system shows at lines of the repository. Pure.

GitHub Docs, "Workflow commands for GitHub Actions", and Microsoft, "Logging commands" of Azure
Pipelines. GitHub shows ten of a kind for each step and drops the rest in silence, so the worst are
written, ten at most, the last of which says how many more there are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from withstand.report import suite_view
from withstand.report.finding_text import cut, finding_text, place
from withstand.report.source_line import described_by, line_of
from withstand.report.wording import observation, plural, printable
from withstand.results import Results
from withstand.scan.records.merge import badness

MOST_ANNOTATIONS: Final = 10
_LONGEST_MESSAGE: Final = 2_000
_LONGEST_TITLE: Final = 200


class Annotator(StrEnum):
    """A CI system that takes commands from what a step prints."""

    GITHUB = "github"
    AZURE = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotation:
    """`level`: error, warning or notice. `file` is relative to the root of the repository."""

    level: str
    title: str
    message: str
    file: str | None = None
    line: int = 1


def render_annotations(results: Results, annotator: Annotator) -> str:
    """One command on a line: why the run is void, what fails it, then the milder findings.

    Empty where there is nothing to say. Whatever came from the API is escaped, so that it cannot
    end a command or begin another.
    """
    every = list(_annotations(results))
    shown = every[:MOST_ANNOTATIONS]
    if len(every) > MOST_ANNOTATIONS:
        shown.pop()
        more = len(every) - len(shown)
        said = f"{plural(more, 'problem')} more: see the report of the run"
        shown.append(_Annotation(level="notice", title="Withstand", message=said))
    write = _github if annotator is Annotator.GITHUB else _azure
    return "".join(f"{write(each)}\n" for each in shown)


def harmless(text: str) -> str:
    """The text of a report, in which no line is a command to GitHub Actions or Azure Pipelines.

    Proofs quote what the API answered. Both systems obey `##[…]` and `##vso[…]` anywhere in a
    line, and GitHub also a line that begins with `::`; a space takes their meaning away.
    """
    return re.sub(r"^(\s*):(?=:)", r"\1: ", re.sub(r"##(?=\[|vso\[)", "# #", text), flags=re.M)


def _annotations(results: Results) -> Iterator[_Annotation]:
    for reason in results.void_reasons():
        yield _Annotation(level="error", title="Part of the run is void", message=reason)
    described = described_by(results.scan)
    failing: list[_Annotation] = []
    milder: list[_Annotation] = []
    for finding in sorted(results.findings(), key=badness):
        fails = results.fails(finding)
        (failing if fails else milder).append(
            _Annotation(
                level="error" if fails else "warning",
                title=f"{finding.title}: {place(finding)}",
                message=finding_text(finding),
                file=described.file,
                line=line_of(finding, described),
            )
        )
    yield from failing
    for verdict in results.breached():
        yield _Annotation(
            level="error",
            title=f"{verdict.objective.text} is breached: {verdict.operation}",
            message=f"{verdict.reason}; {observation(verdict)}",
        )
    for row in suite_view.rows(results.suite) if results.suite is not None else ():
        if row.failed:
            yield _Annotation(
                level="error",
                title=f"{row.nodeid} failed",
                message=row.said or "The test failed.",
                file=row.nodeid.partition("::")[0],
            )
    yield from milder


def _github(annotation: _Annotation) -> str:
    where = {"file": annotation.file, "line": str(annotation.line)} if annotation.file else {}
    said = {**where, "title": _title(annotation)}
    properties = ",".join(
        f"{key}={_escaped(value, {'%': '%25', ':': '%3A', ',': '%2C'})}"
        for key, value in said.items()
    )
    return f"::{annotation.level} {properties}::{_escaped(_message(annotation), {'%': '%25'})}"


def _azure(annotation: _Annotation) -> str:
    said = {"type": "error" if annotation.level == "error" else "warning"}
    if annotation.file:
        said |= {"sourcepath": annotation.file, "linenumber": str(annotation.line)}
    escapes = {"%": "%AZP25", ";": "%3B", "]": "%5D"}
    properties = ";".join(f"{key}={_escaped(value, escapes)}" for key, value in said.items())
    message = harmless(f"{_title(annotation)}\n{_message(annotation)}")
    return f"##vso[task.logissue {properties}]{_escaped(message, {'%': '%AZP25'})}"


def _title(annotation: _Annotation) -> str:
    return cut(printable(" ".join(annotation.title.split())), _LONGEST_TITLE)


def _message(annotation: _Annotation) -> str:
    return cut(printable(annotation.message), _LONGEST_MESSAGE)


def _escaped(text: str, escapes: dict[str, str]) -> str:
    """In one pass, so that no escape is escaped again."""
    table = str.maketrans({**escapes, "\r": "%0D", "\n": "%0A"})
    return text.translate(table)
