"""Shards side by side with pytest-split and pytest-shard: docs/sharding-performance.md.

    uv run --with pytest-split==0.11.0 --with pytest-shard==0.1.2 \\
        python -m benchmarks.sharding.compare

Nothing is run: every tool says how it would cut the same recorded suites, by its own code. All of
it is seeded, so it comes to the same figures each time. It ends with 1 where Withstand's own are
above the bounds that it promises.
"""

import sys
from pathlib import Path

from benchmarks.sharding.figures import RUNS, Balance, Loss, balance, loss
from benchmarks.sharding.page import CASES, LIMITS, page
from benchmarks.sharding.splitters import Splitter, pytest_shard, pytest_split, withstand
from benchmarks.sharding.suites import SUITES

from withstand.sharding.plan import ShardMode

_PAGE = Path(__file__).parents[2] / "docs" / "sharding-performance.md"


def tools() -> dict[str, Splitter]:
    """What is compared, by the name that the page has for it."""
    return {
        "Withstand, `stable`": withstand(ShardMode.STABLE),
        "Withstand, `collected`": withstand(ShardMode.COLLECTED),
        "pytest-split, `least_duration`": pytest_split("least_duration"),
        "pytest-split, `duration_based_chunks`": pytest_split("duration_based_chunks"),
        "pytest-shard": pytest_shard(),
    }


def main() -> int:
    """Write the page; how many bounds do not hold."""
    balances: dict[tuple[str, str, str], Balance] = {}
    losses: dict[tuple[str, str], Loss] = {}
    for tool, splitter in tools().items():
        for suite in SUITES:
            losses[tool, suite] = loss(splitter, suite)
            for name, case in CASES.items():
                balances[tool, suite, name] = balance(splitter, suite, case)
        sys.stderr.write(f"{tool}\n")
    broken = 0
    for name, most in LIMITS.items():
        for mode in ShardMode:
            found = balances[f"Withstand, `{mode}`", "api", name].ratio or 0.0
            broken += found > most
            sys.stdout.write(f"{mode}, {name}: {found:.3f}, at most {most} (mean of {RUNS})\n")
    _PAGE.write_text(page(balances, losses))
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main())
