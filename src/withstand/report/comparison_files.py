"""A comparison as Markdown, for a comment on a change, and as JSON, for programs. Pure."""

import json
from typing import Any, Final

from withstand.load.comparison import Arm, ComparisonMeasurement
from withstand.report.comparison_view import (
    HEADER,
    SYMBOL,
    Row,
    design,
    headline,
    rows,
    stored_reason,
    stored_rows,
)
from withstand.report.wording import printable
from withstand.slo.comparison import ComparisonVerdict
from withstand.slo.stored_comparison import StoredDifference

_FORMAT: Final = "withstand-comparison"
_SCHEMA_VERSION: Final = 1


def comparison_markdown(measured: ComparisonMeasurement, verdict: ComparisonVerdict) -> str:
    """One bold line, and the table folded away under it."""
    return _markdown(
        f"{SYMBOL[verdict.state]} {headline(verdict)}", design(measured, verdict), rows(verdict)
    )


def stored_markdown(differences: tuple[StoredDifference, ...]) -> str:
    """The same of two stored runs."""
    return _markdown("Two stored runs, no verdict", stored_reason(), stored_rows(differences))


def comparison_json(
    measured: ComparisonMeasurement, verdict: ComparisonVerdict, *, command: str
) -> str:
    """The verdict and all that it was made from: times in nanoseconds, changes as shares."""
    document: dict[str, Any] = {
        "format": _FORMAT,
        "schema_version": _SCHEMA_VERSION,
        "command": command,
        "a": measured.a,
        "b": measured.b,
        "restarted": measured.restarted,
        "restarts": measured.restarts,
        "blocks": measured.blocks,
        "requests": measured.requests,
        "started_at": measured.started_at,
        "duration_s": measured.duration_s,
        "state": verdict.state,
        "headline": headline(verdict),
        "margin": verdict.margin,
        "tests": verdict.tests,
        "interrupted": measured.interrupted,
        "cut_short": measured.cut_short,
        "left_out": dict(measured.left_out),
        "differences": [
            {
                "operation": each.operation,
                "indicator": each.indicator,
                "a": each.a,
                "b": each.b,
                "requests": each.requests,
                "state": each.state,
                "units": each.found.units if each.found else 0,
                "change": each.found.change if each.found else None,
                "low": each.found.low if each.found else None,
                "high": each.found.high if each.found else None,
                "detectable": each.found.detectable if each.found else None,
            }
            for each in verdict.differences
        ],
        "measured": {
            operation: [
                [{"a": _arm(block.a), "b": _arm(block.b)} for block in restart]
                for restart in restarts
            ]
            for operation, restarts in measured.operations.items()
        },
    }
    return _text(document)


def stored_json(a: str, b: str, differences: tuple[StoredDifference, ...], *, command: str) -> str:
    """The differences of two stored runs."""
    return _text(
        {
            "format": _FORMAT,
            "schema_version": _SCHEMA_VERSION,
            "command": command,
            "a": a,
            "b": b,
            "state": None,
            "headline": stored_reason(),
            "differences": [
                {
                    "operation": each.operation,
                    "indicator": each.indicator,
                    "a": each.a,
                    "b": each.b,
                    "change": each.found.change if each.found else None,
                    "detectable": each.found.detectable if each.found else None,
                }
                for each in differences
            ],
        }
    )


def _arm(arm: Arm) -> dict[str, Any]:
    return {"times_ns": list(arm.times_ns), "errors": arm.errors}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n"


def _markdown(line: str, note: str, lines: tuple[Row, ...]) -> str:
    table = [HEADER, ("---",) * len(HEADER), *(row.cells for row in lines)]
    return "\n".join(
        [
            f"**{_cell(line)}**",
            "",
            "<details><summary>All operations</summary>",
            "",
            *(f"| {' | '.join(_cell(cell) for cell in cells)} |" for cells in table),
            "",
            f"{_cell(note)}.",
            "",
            "</details>",
            "",
        ]
    )


def _cell(text: str) -> str:
    """Nothing that an address or a document says becomes markup."""
    shown = printable(text).replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{char}" if char in "|`*_[]\\" else char for char in shown)
