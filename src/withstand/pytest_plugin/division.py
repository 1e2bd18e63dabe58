"""What was collected, and which part of it this shard runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from withstand.sharding import Shard
from withstand.sharding.durations import parse_durations
from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode, expected_ms, plan_of_suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A suite, cut. A run without shards is shard 1/1.

    `kept` are the node ids that run here, `expected_ms` what each shard is expected to take, empty
    where nothing is known. See `withstand.sharding.plan` for the rest.
    """

    shard: Shard
    by: ShardBy
    mode: ShardMode
    digest: str
    collected: tuple[Member, ...]
    kept: tuple[str, ...]
    expected_ms: tuple[int, ...]


def divide(
    collected: Sequence[Member],
    *,
    shard: Shard,
    by: ShardBy,
    mode: ShardMode,
    durations_text: str | None,
) -> Division:
    """The part that runs in a shard. Raises UsageError for what is no file of durations."""
    known_ms = (
        parse_durations(durations_text, source="the durations file").known_ms()
        if durations_text is not None
        else {}
    )
    plan = plan_of_suite(collected, known_ms, by=by, mode=mode, shards=shard.total)
    return Division(
        shard=shard,
        by=by,
        mode=mode,
        digest=plan.digest,
        collected=tuple(collected),
        kept=tuple(
            each.nodeid for each in collected if plan.shard_of(each.key(by)) == shard.number
        ),
        expected_ms=expected_ms(plan, collected, known_ms, by=by),
    )


def member_of(item: pytest.Item) -> Member:
    """A collected test, by the node id that it has everywhere."""
    names = sorted({_group_name(mark) for mark in item.iter_markers("xdist_group")})
    group = "_".join(names) if names else None
    nodeid = item.nodeid
    if group is not None and getattr(item.config.option, "loadgroup", False):
        nodeid = nodeid.removesuffix(f"@{group}")  # which pytest-xdist has just added
    classes = (node.nodeid for node in item.listchain() if isinstance(node, pytest.Class))
    return Member(nodeid=nodeid, outer_class=next(classes, None), group=group)


def stored(division: Division) -> dict[str, Any]:
    """The division as plain JSON, for the controller of pytest-xdist."""
    return asdict(division)


def restored(document: Mapping[str, Any]) -> Division:
    """What `stored` made plain."""
    return Division(
        shard=Shard(**document["shard"]),
        by=ShardBy(document["by"]),
        mode=ShardMode(document["mode"]),
        digest=document["digest"],
        collected=tuple(Member(**each) for each in document["collected"]),
        kept=tuple(document["kept"]),
        expected_ms=tuple(document["expected_ms"]),
    )


def _group_name(mark: pytest.Mark) -> str:
    return str(mark.args[0] if mark.args else mark.kwargs.get("name", "default"))
