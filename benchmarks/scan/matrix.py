"""Every flaw planted alone, and the whole catalogue of checks run against it.

    python -m benchmarks.scan.matrix [shop] [clinic]

writes, for each flaw, whether the check meant for it found it and whether any other spoke.
"""

import sys
from dataclasses import asdict, dataclass

from benchmarks.scan.apis import APIS, running
from benchmarks.scan.expected import Planted, compared, planted
from benchmarks.scan.one_scan import scanned
from benchmarks.scan.results import keep, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a scan of one flaw found."""

    api: str
    flaw: str
    seen_by: str
    found: bool
    others: tuple[str, ...]  # findings that the flaw does not explain: "check on operation"
    requests: int
    seconds: float


def row_of(flaw: Planted) -> Row:
    """Plants one flaw and scans."""
    with running(flaw.api, flaw.name) as served:
        scan = scanned(served.config, profile="ci")
    found = compared((flaw,), scan.findings)
    return Row(
        api=flaw.api,
        flaw=flaw.name,
        seen_by=flaw.seen_by,
        found=not found.missed and scan.record.void is None,
        others=tuple(f"{check} on {operation}" for check, operation in found.alien),
        requests=scan.record.requests,
        seconds=round(scan.record.duration_s, 2),
    )


def main(apis: list[str]) -> int:
    rows: list[dict[str, object]] = []
    for api in apis or list(APIS):
        for flaw in planted(api):
            row = row_of(flaw)
            print(row, flush=True)  # noqa: T201 - a script
            rows.append(asdict(row))
            done = {(row["api"], row["flaw"]) for row in rows}
            earlier = [
                row for row in read().get("matrix", []) if (row["api"], row["flaw"]) not in done
            ]
            keep("matrix", earlier + rows)  # now already: a run takes a quarter of an hour
    return 0 if all(row["found"] and not row["others"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
