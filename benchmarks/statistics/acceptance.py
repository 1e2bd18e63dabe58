"""The figures that the verdicts must reach, and what was measured of each: `results.json` beside
this file, rendered as docs/statistics.md.

Every script here can add its rows. One call replaces what the file holds under that id, and writes
the page anew:

    from benchmarks.statistics.acceptance import Line, record

    record(
        "B1",
        command="python -m benchmarks.statistics.regression",
        setup="2,000 comparisons of 10 restarts, 4 blocks and 100 requests",
        lines=[
            Line(
                scenario="equal versions, environment sd 5 %, instance sd 2 %",
                must="false alarms at most 0.5 %",
                measured="0.15 % (3 of 2,000)",
                held=True,
            ),
        ],
    )

`held` is computed from the measured figure, never written down; None is a line that is told and
not held to anything. A quick look (fewer runs than the full set) is printed and not recorded.
Ids are those of `acceptance_page.TITLES`: A latency in a sequence of requests, B regressions,
C stress, D soak, E recording, F warm-up, S against a server.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.statistics.acceptance_page import page

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One scenario: what must hold, what was measured, and whether it does."""

    scenario: str
    must: str
    measured: str
    held: bool | None


def record(id: str, *, command: str, setup: str, lines: Sequence[Line]) -> None:
    """Put an entry in the place of the one with its id, and render the page."""
    results = recorded()
    results["entries"][id] = {
        "command": command,
        "setup": setup,
        "date": datetime.now(UTC).date().isoformat(),
        "lines": [asdict(line) for line in lines],
    }
    save(results)


def recorded() -> dict[str, Any]:
    """What the file holds; entries by their id."""
    if not RESULTS.exists():
        return {"entries": {}}
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def save(results: dict[str, Any]) -> None:
    """Write the file, ids in order, and the page."""
    results = {**results, "entries": dict(sorted(results["entries"].items(), key=_by_id))}
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")


def _by_id(entry: tuple[str, Any]) -> tuple[str, int]:
    return entry[0][0], int(entry[0][1:])
