"""How often --abort-on-fail ends a run whose service is exactly at its limit, and how soon it ends
one that is at twice the limit.

    python -m benchmarks.statistics.false_aborts [runs]

The fast subset stands in tests/slo/test_interim.py.
"""

# ruff: noqa: T201 - it prints a table

import sys

from tests.slo.simulated_services import SERVICES, aborted_at


def main(runs: int) -> None:
    """Print the share of aborted runs for each service."""
    print(f"{'service':34}{'objective':12}{'at the limit':>14}{'at twice':>10}{'after s':>9}")
    for name, service in SERVICES.items():
        for text, limit in (("p95<200ms", 0.05), ("errors<1%", 0.01)):
            false = [aborted_at(service, limit, text, seed) for seed in range(runs)]
            found = [aborted_at(service, 2 * limit, text, -1 - seed) for seed in range(runs // 4)]
            ended = sorted(at for at in found if at is not None)
            share = sum(at is not None for at in false) / runs
            print(
                f"{name:34}{text:12}{share:>14.2%}{len(ended) / len(found):>10.0%}"
                f"{ended[len(ended) // 2] if ended else '-':>9}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
