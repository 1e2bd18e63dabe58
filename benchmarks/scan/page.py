"""docs/scan-performance.md from the measurements. Pure but for the writing.

python -m benchmarks.scan.page
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.scan.results import read

PAGE = Path(__file__).parents[2] / "docs" / "scan-performance.md"

_INTRODUCTION = """\
# What a scan finds, and what it costs

This page is written by `python -m benchmarks.scan.page` from `benchmarks/scan/results.json`. The
APIs are the bundled demo (the *shop*: FastAPI, bearer tokens) and a second one that differs from
it in every habit (the *clinic*: Flask, cookie sessions, HTML errors, `tests/clinic`). Both have a
careful build, and flaws that can be planted in it. Times were taken on two cores that others used
as well, API and scan included: on a quiet machine they are a fraction of it.
"""


def page(results: dict[str, Any]) -> str:
    """The text of the page."""
    return "\n".join(
        (
            _INTRODUCTION,
            *_matrix(results.get("matrix", [])),
            *_silence(results.get("silence", [])),
            *_scaling(results.get("scaling", [])),
        )
    )


def write() -> None:
    """Writes the page."""
    PAGE.write_text(page(read()))


def _matrix(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    good = sum(row["found"] and not row["others"] for row in rows)
    yield "## Each flaw alone\n"
    yield (
        f"{len(rows)} flaws, each planted alone and scanned with every check: {good} were found by "
        "the check meant for them while every other check was silent. "
        "`python -m benchmarks.scan.matrix`\n"
    )
    yield "| API | flaw | found by | other findings |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        found = f"`{row['seen_by']}`" if row["found"] else f"**missed** by `{row['seen_by']}`"
        others = ", ".join(f"`{other}`" for other in row["others"]) or "none"
        yield f"| {row['api']} | `{row['flaw']}` | {found} | {others} |"
    yield ""


def _silence(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "## Silence\n"
    yield (
        "The careful builds, scanned again and again without a restart. On the bad network 5 % of "
        "the answers are late, 1 % are 503 (half of them after the API did what it was asked), "
        "0.5 % are 429 by chance, and a limiter answers 429 above 60 to 300 requests a second; "
        "then tests may be undecided, and none may fail. Requests and times are medians. "
        "`python -m benchmarks.scan.silence`\n"
    )
    yield "| API | network | scans | findings | void | requests | time | undecided |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        undecided = f"{min(row['undecided'])} to {max(row['undecided'])}"
        yield (
            f"| {row['api']} | {row['network']} | {row['scans']} | {row['findings']} | "
            f"{row['void']} | {median(row['requests']):,.0f} | {median(row['seconds']):.1f} s | "
            f"{undecided} |"
        )
    yield ""


def _scaling(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "## Cost\n"
    yield (
        "Generated APIs, collections of five operations each. *Capacity* is what one plain client "
        "gets out of the same server that sends one request after the other, as a scan does: "
        "checks that change things must not meet each other's changes, and those that compare "
        "answers want a quiet API. Only waiting is shared: a check that waits for a token to "
        "expire lets the others go on. `python -m benchmarks.scan.scaling`\n"
    )
    yield "| operations | requests | for each operation | time | requests/s | capacity/s |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        yield (
            f"| {row['operations']} | {row['requests']:,} | "
            f"{row['requests'] / row['operations']:.0f} | {row['seconds']:.1f} s | "
            f"{row['requests'] / row['seconds']:,.0f} | {row['capacity_per_s']:,.0f} |"
        )
    yield ""


if __name__ == "__main__":
    write()
