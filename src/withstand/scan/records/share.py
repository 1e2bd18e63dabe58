"""What of a scan a shard runs, and whether merged shards are the whole. Pure.

Where a test runs follows from its check, its operation and the number of shards alone, so machines
agree on it without a word. Checks of one family stay together on each collection (`/orders` and
`/orders/{id}`), and on the whole API: they learn from what each other were answered, and find what
each other have created. A check that only looks back
(`Check.looks_back`) has one shard that answers for it, but looks in each of them, because each sees
only its own exchanges.
"""

import json
import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Final

from withstand.errors import UsageError
from withstand.openapi.operation import Operation
from withstand.scan.check import Check
from withstand.scan.records.record import Coverage, ScanRecord
from withstand.sharding import Shard, joined, missing_from, shortfall

_ITEM: Final = re.compile(r"(/\{[^}]*\})+/?$")

Place = tuple[str, str | None]
"""A test: the name of its check and the key of its operation, None for the whole API."""


def holds(shard: Shard, check: Check, operation: Operation | None) -> bool:
    """Whether a test runs in the shard."""
    place = "API" if operation is None else _ITEM.sub("", operation.path).rstrip("/")
    return shard.holds(f"{check.family}: {place}")


def digest_of(tests: Iterable[Place]) -> str:
    """16 hex digits that stand for a set of tests, in whatever order."""
    lines = sorted(json.dumps(test) for test in set(tests))
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def joined_scans(first: ScanRecord, second: ScanRecord) -> tuple[Shard, ...]:
    """The shards of two records together. Raises UsageError for what are no parts of one scan."""
    shards = joined(first.shards, second.shards)
    if None not in (first.whole, second.whole) and first.whole != second.whole:
        apart = sorted(set(first.operations) ^ set(second.operations))
        why = f"only one of them knows {apart[0]}" if apart else "they were to run other checks"
        raise UsageError(
            f"shard {second.shards[0]} is no part of the scan of shard {first.shards[0]}: {why}",
            hint="run all shards with the same document and the same options",
        )
    return shards


def scan_shortfall(record: ScanRecord, told: Collection[Shard] = ()) -> str | None:
    """Which tests of a merged scan have no result; None when all have but those of the shards of
    which more is `told`, and of one shard alone.
    """
    if len(record.shards) < 2:
        return None
    if missing_from(record.shards):
        these = "its tests have no result", "their tests have no result"
        return shortfall(record.shards, *these, told=told)
    if digest_of(map(_place, record.coverage)) != record.whole:
        return "tests that belong to the scan have no result in any of its shards"
    return None


def _place(cell: Coverage) -> Place:
    return cell.check, cell.operation
