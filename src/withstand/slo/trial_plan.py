"""Which operations of a document are tried, by which objectives, and which are not. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from withstand.openapi.operation import Api, Operation
from withstand.scan.records.share import digest_of
from withstand.sharding import Shard
from withstand.slo.judgement import applicable
from withstand.slo.objective import Objective
from withstand.slo.trial import can_be_tried


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan:
    """Operation key → the objectives that it is tried by, in the document's order; and why other
    operations that an objective covers are not tried.
    """

    objectives: Mapping[str, tuple[Objective, ...]]
    left_out: Mapping[str, str]


def trial_plan(api: Api, objectives: Iterable[Objective]) -> TrialPlan:
    """Everything that reads, and of what writes the operations whose method an objective names:
    nobody who writes `"*" = "p95<200ms"` asks for five hundred new orders.
    """
    wanted = tuple(objectives)
    tried: dict[str, tuple[Objective, ...]] = {}
    left_out: dict[str, str] = {}
    for operation in api.operations:
        judged = tried_by(wanted, operation.key)
        if not judged:
            continue
        if operation.is_read or any(_names(each, operation) for each in wanted):
            tried[operation.key] = judged
        else:
            left_out[operation.key] = "it writes, and no objective names its method"
    return TrialPlan(objectives=tried, left_out=left_out)


def share_of(plan: TrialPlan, shard: Shard) -> TrialPlan:
    """The operations that one shard tries: each is tried by exactly one.

    They are dealt out in turn, those with the most objectives first: each may take its whole
    budget, so shards take about equally long. That takes the same plan in every shard, for which
    `digest_of_plan` stands.
    """
    dealt = sorted(plan.objectives, key=lambda key: (-len(plan.objectives[key]), key))
    here = set(dealt[shard.number - 1 :: shard.total])
    return TrialPlan(
        objectives={key: judged for key, judged in plan.objectives.items() if key in here},
        left_out={key: why for key, why in plan.left_out.items() if shard.holds(key)},
    )


def digest_of_plan(plan: TrialPlan) -> str:
    """16 hex digits that stand for what is tried by what, in all shards together."""
    return digest_of(
        (objective.text, key) for key, judged in plan.objectives.items() for objective in judged
    )


def tried_by(objectives: Iterable[Objective], operation: str) -> tuple[Objective, ...]:
    """Those of the objectives that an operation is tried by, each once."""
    single = [each for each in dict.fromkeys(objectives) if not each.whole_run]
    return tuple(each for each in applicable(single, operation) if can_be_tried(each))


def left_to_load(objectives: Iterable[Objective]) -> tuple[Objective, ...]:
    """The objectives that only a load can be judged by."""
    return tuple(each for each in dict.fromkeys(objectives) if not can_be_tried(each))


def _names(objective: Objective, operation: Operation) -> bool:
    method, _, path = objective.operation.partition(" ")
    return bool(path) and method == operation.method and objective.covers(operation.key)
