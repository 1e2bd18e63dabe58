"""A suite of tests, and the shards that it was cut into, for every report. Pure."""

from dataclasses import dataclass
from typing import Final

from withstand.report.wording import plural
from withstand.sharding.suite import Outcome, SuiteRecord
from withstand.units import format_count

MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRow:
    """A test that somebody should look at. `failed` is False of one without a result."""

    nodeid: str
    shard: str
    said: str
    failed: bool


def summary(suite: SuiteRecord) -> str:
    """`300 tests in 4 shards: 258 passed, 1 failed; 41 without a result`."""
    alone = suite.parts[0]
    where = plural(len(suite.parts), "shard")
    number = len(suite.collected)
    if len(suite.parts) == 1:
        where = f"shard {alone.shard}"
        number = len(alone.kept)
    counts = suite.counts()
    ended = [f"{format_count(counts[each])} {each}" for each in Outcome if counts[each]]
    text = f"{plural(number, 'test')} in {where}: {', '.join(ended) or 'none ended'}"
    open_tests = len(suite.without_result())
    return f"{text}; {format_count(open_tests)} without a result" if open_tests else text


def rows(suite: SuiteRecord) -> list[SuiteRow]:
    """What failed and what has no result, the failures first."""
    failed = [
        SuiteRow(nodeid=each.nodeid, shard=str(part.shard), said=each.message, failed=True)
        for part in suite.parts
        for each in part.failed()
    ]
    broken = [
        SuiteRow(nodeid=each, shard="", said="could not be collected", failed=True)
        for each in suite.uncollected()
    ]
    shard_of = {nodeid: str(part.shard) for part in suite.parts for nodeid in part.kept}
    unfinished = [
        SuiteRow(nodeid=each, shard=shard_of.get(each, ""), said="no result", failed=False)
        for each in suite.without_result()
    ]
    return [*failed, *broken, *unfinished]
