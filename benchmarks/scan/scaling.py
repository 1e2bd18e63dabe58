"""How the cost of a scan grows with the operations, and how fast it asks.

    python -m benchmarks.scan.scaling

scans generated APIs of 10, 50 and 250 operations and writes what it took into results.json.
"""

import time
from dataclasses import asdict, dataclass

import httpx2
from benchmarks.scan import generated
from benchmarks.scan.one_scan import scanned
from benchmarks.scan.results import keep

OPERATIONS = (10, 50, 250)
_MEASURED_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What one scan took."""

    operations: int
    requests: int
    seconds: float
    capacity_per_s: float  # of the target, asked by one plain client, one request at a time
    findings: int

    @property
    def per_s(self) -> float:
        """Requests of the scan in a second."""
        return self.requests / self.seconds


def measured(operations: int) -> Size:
    """Scans an API of so many operations."""
    with generated.running(operations // generated.PER_COLLECTION) as url:
        capacity = _capacity_per_s(url)
        scan = scanned(generated.CONFIG.format(url=url), profile="ci")
    return Size(
        operations=operations,
        requests=scan.record.requests,
        seconds=scan.record.duration_s,
        capacity_per_s=capacity,
        findings=len(scan.record.findings),
    )


def _capacity_per_s(url: str) -> float:
    headers = {"Authorization": next(iter(generated.TOKENS))}
    with httpx2.Client(base_url=url, headers=headers) as client:
        client.get("/things0")
        began, answered = time.perf_counter(), 0
        while time.perf_counter() - began < _MEASURED_S:
            client.get("/things0").raise_for_status()
            answered += 1
        return answered / (time.perf_counter() - began)


def main() -> None:
    sizes = []
    for operations in OPERATIONS:
        size = measured(operations)
        print(size, f"{size.per_s:.0f}/s", flush=True)  # noqa: T201 - a script
        sizes.append(asdict(size))
    keep("scaling", sizes)


if __name__ == "__main__":
    main()
