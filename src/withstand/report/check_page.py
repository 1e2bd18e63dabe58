"""The page of one check, as Markdown: written from the check itself, so that it cannot be wrong."""

import inspect
from collections.abc import Callable

from withstand.scan.check import Check, Server

_DOES = {
    "read-only": "Sends only requests that read.",
    "mutating": "Creates and changes data of its own, and deletes it where the API allows that.",
    "abusive": "Floods, or locks accounts of its own: on loopback or with `--profile abuse` only.",
    "destructive": "Destroys an object of its own if the flaw is there.",
}


def check_page(check: Check) -> str:
    """The page of a check: what it finds, what to do, references, and both example servers."""
    return "\n".join(
        (
            f"# {check.name}",
            "",
            f"{check.title}.",
            "",
            f"Severity: **{check.severity}** · family: {check.family} · {check.safety}",
            "",
            "## What it looks for",
            "",
            _prose(check.explanation),
            "",
            _DOES[str(check.safety)],
            "",
            "## What to do",
            "",
            _prose(check.remedy),
            "",
            "## References",
            "",
            *(f"- {line}" for line in check.references.lines()),
            "",
            "## A server that has the flaw",
            "",
            "```python",
            _source(check.example.vulnerable),
            "```",
            "",
            "## A server that has not",
            "",
            "```python",
            _source(check.example.safe),
            "```",
            "",
        )
    )


def _prose(text: str) -> str:
    """Paragraphs of a triple-quoted text, each on one line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _source(server: Callable[[], Server]) -> str:
    return inspect.cleandoc(inspect.getsource(server))
