"""Operations of a document → requests that succeeded once, with weights."""

import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from withstand.errors import UsageError
from withstand.load.scenario.scenario import Plan, Scenario, scenario_from_requests
from withstand.openapi.operation import Api
from withstand.scan.groundwork.preparation import (
    Prepared,
    chosen_operations,
    first_keys,
    prepared_requests,
)
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import matches
from withstand.slo import Objective
from withstand.workflows.wiring import open_wire


async def document_scenario(
    plan: ScanPlan,
    operations: tuple[str, ...],
    *,
    weights: Mapping[str, float] = MappingProxyType({}),
    keep_alive: bool = True,
    follow_redirects: bool = False,
) -> tuple[Prepared, Scenario]:
    """The chosen operations' requests that succeeded once, as a scenario.

    `operations` are key patterns; none of them stands for every read. `weights` are by key pattern.
    Raises RunVoid when a pattern chose nothing but operations without such a request, and
    UsageError for a pattern that is no operation's.
    """
    chosen = chosen_operations(plan.api, operations)
    refuse_unknown_weights(plan.api, weights)
    async with open_wire(plan.target, plan.timeout_s, plan.connect_timeout_s) as wire:
        prepared = await prepared_requests(replace(plan, api=chosen), wire, now_s=time.time())
    prepared.require(operations or ("*",))
    scenario = scenario_from_requests(
        [
            Plan(operation=key, requests=found, weight=_weight_of(key, weights))
            for key, found in prepared.requests.items()
        ],
        plan.target,
        keep_alive=keep_alive,
        follow_redirects=follow_redirects,
    )
    return prepared, scenario


def refuse_unknown(api: Api, objectives: tuple[Objective, ...]) -> None:
    """A misspelt operation would be an objective that nothing can breach."""
    for objective in objectives:
        if not any(objective.covers(operation.key) for operation in api.operations):
            raise UsageError(
                f"the objective {objective.text} is on {objective.operation!r}, which is no "
                f"operation of {api.title}",
                hint=f"it has {first_keys(api)}",
            )


def refuse_unknown_weights(api: Api, weights: Mapping[str, float]) -> None:
    """A misspelt operation would be a weight that changes nothing."""
    for pattern in weights:
        if not any(matches(pattern, operation.key) for operation in api.operations):
            raise UsageError(
                f"a weight is given for {pattern!r}, which is no operation of {api.title}",
                hint=f"it has {first_keys(api)}",
            )


def _weight_of(operation: str, weights: Mapping[str, float]) -> float:
    """The weight of the operation's own key, else of the first pattern that matches it."""
    if operation in weights:
        return weights[operation]
    return next((weight for pattern, weight in weights.items() if matches(pattern, operation)), 1.0)
