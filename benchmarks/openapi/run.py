"""Measures how many bodies built from public documents are valid, and writes the page.

    uv run --with "jsonschema[format-nongpl]" python -m benchmarks.openapi.run [FOLDER]

FOLDER keeps the packages for the next time; without it they are fetched into a temporary one.
`--page-only` writes the page from the figures that were recorded, `FOLDER --times-only` measures
the times of every tenth document anew.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.openapi.corpus import documents, fetched
from benchmarks.openapi.measure import Measured, measured, timed
from benchmarks.openapi.page import page

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "request-building.md"


def main(arguments: list[str]) -> None:
    if "--times-only" in arguments:
        _time_again(Path(arguments[0]))
    elif "--page-only" not in arguments:
        with tempfile.TemporaryDirectory() as temporary:
            _measure(Path(arguments[0]).absolute() if arguments else Path(temporary))
    PAGE.write_text(page(json.loads(RESULTS.read_text("utf-8"))), "utf-8")


def _measure(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fetched(folder)
    rows: list[Measured] = []
    for found in documents(folder):
        row = measured(found)
        rows.append(row)
        for problem in row.examples:
            sys.stderr.write(f"{row.name} | {problem}\n")
    RESULTS.write_text(json.dumps(_summary(rows), indent=1) + "\n", "utf-8")


def _time_again(folder: Path) -> None:
    results = json.loads(RESULTS.read_text("utf-8"))
    times_ns = [
        time_ns
        for at, found in enumerate(documents(folder))
        if at % 10 == 0
        for time_ns in timed(found)
    ]
    results.update(_times(times_ns))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def _times(times_ns: list[int]) -> dict[str, Any]:
    times_us = [time_ns / 1e3 for time_ns in times_ns]
    return {
        "timed": len(times_us),
        "median_us": round(median(times_us), 1),
        "p90_us": round(quantiles(times_us, n=10)[-1], 1),
    }


def _summary(rows: list[Measured]) -> dict[str, Any]:
    problems: Counter[str] = Counter()
    for row in rows:
        problems.update(row.problems)
    return {
        "documents": len(rows),
        "refused": sum(bool(row.refused) for row in rows),
        "operations": sum(row.operations for row in rows),
        "schemas": sum(row.schemas for row in rows),
        "unjudged": sum(row.unjudged for row in rows),
        "valid": sum(row.valid for row in rows),
        **_times([time_ns for row in rows for time_ns in row.times_ns]),
        "problems": dict(problems.most_common()),
        "rows": [_row(row) for row in rows],
    }


def _row(row: Measured) -> dict[str, Any]:
    return {
        "package": row.package,
        "name": row.name,
        "operations": row.operations,
        "schemas": row.schemas,
        "unjudged": row.unjudged,
        "valid": row.valid,
        "median_us": round(median(row.times_ns) / 1e3, 1) if row.times_ns else None,
        "read_ms": round(row.read_ns / 1e6, 1),
        "refused": row.refused.replace(row.name, "it"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
