"""A comparison as cells for a table, as sentences, and as plain values for JSON. Pure."""

from typing import Any, Final

from withstand.selftest.comparison import Agreement, Comparison, Row, Section
from withstand.units import format_count, format_duration_ns, format_share

HEADINGS: Final = ("", "by design", "true", "reported", "of true", "")
_NOTHING: Final = "-"


def table(section: Section) -> tuple[tuple[str, ...], ...]:
    """Headings and lines of a section; columns that would be empty are left out."""
    lines = [_cells(row) for row in section.rows]
    kept = [index for index, _ in enumerate(HEADINGS) if any(line[index] for line in lines)]
    return tuple(tuple(line[index] for index in kept) for line in (HEADINGS, *lines))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        _figure(row, row.by_design) if row.by_design is not None else "",
        _figure(row, row.true) if row.true is not None else "",
        _figure(row, row.reported) if row.reported is not None else _NOTHING,
        f"{row.ratio:.3f}" if row.ratio is not None and row.agreement is not None else "",
        row.agreement or "",
    )


def conclusion(comparison: Comparison) -> str:
    """What it comes to, and what to do when that is not enough."""
    if comparison.interrupted:
        return "Interrupted: the rows above are complete, the others were not run."
    ours = [row for section in comparison.sections if not section.peer for row in section.rows]
    judged = [row for row in ours if row.agreement is not None]
    off = sum(row.agreement is Agreement.OFF for row in judged)
    untold = sum(row.agreement is Agreement.CANNOT_TELL for row in judged)
    match comparison.agreement:
        case Agreement.AGREES:
            return f"All {len(judged)} figures agree with what the server saw."
        case Agreement.OFF:
            return (
                f"{off} of {len(judged)} figures are off, and a busy machine does not explain "
                "them. Please report this, with --json."
            )
        case Agreement.CANNOT_TELL:
            return (
                f"{untold} of {len(judged)} figures are too high, on a machine that was too busy "
                "to tell why. End what else is running and try again."
            )


def trouble(section: Section) -> str | None:
    """What kept a section from being judged; None when nothing did."""
    if section.failure:
        return section.failure
    untold = any(row.agreement is Agreement.CANNOT_TELL for row in section.rows)
    return f"This machine was late: {section.late}." if untold and section.late else None


def as_values(comparison: Comparison) -> dict[str, Any]:
    """For `json.dumps`. Durations are in nanoseconds, shares between 0 and 1."""
    return {
        "agreement": str(comparison.agreement),
        "exit_code": comparison.exit_code,
        "interrupted": comparison.interrupted,
        "sections": [
            {
                "title": section.title,
                "peer": section.peer,
                "late": section.late,
                "failure": section.failure,
                "rows": [_row_values(row) for row in section.rows],
            }
            for section in comparison.sections
        ],
    }


def _row_values(row: Row) -> dict[str, Any]:
    return {
        "what": row.what,
        "unit": row.unit,
        "by_design": row.by_design,
        "true": row.true,
        "reported": row.reported,
        "ratio": row.ratio,
        "allowed": row.allowed or None,
        "agreement": None if row.agreement is None else str(row.agreement),
    }


def _figure(row: Row, value: float) -> str:
    match row.unit:
        case "ns":
            return format_duration_ns(value) if value else "0"
        case "count":
            return format_count(value)
        case "per_s":
            return f"{format_count(value)}/s"
        case "share":
            return format_share(value)
        case "number":
            return f"{value:.2f}"
