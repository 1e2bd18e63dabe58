"""Who is to try an operation first, and with whose values. Pure."""

from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access.accounts import (
    changes_the_caller,
    looks_like_login,
    sign_up_operation,
)
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_objects import works_on_users
from withstand.scan.groundwork.purchases import is_bought_by_own, may_cost
from withstand.scan.groundwork.redeeming import is_for_configured, redeems
from withstand.scan.groundwork.self_change import may_change_the_caller
from withstand.scan.groundwork.spending import may_spend
from withstand.scan.plan import ScanPlan


def turns(
    plan: ScanPlan, ground: Groundwork, operation: Operation
) -> list[tuple[Identity | None, ValuePool | None]]:
    """Each asker with the values it learned itself; to read one thing, then also with the others'.

    An administrator may read what is known by its id only from other people's lists. Nothing that
    changes anything is ever tried with somebody else's ids.
    """
    askers = _askers(plan, ground, operation)
    own = [(asker, ground.pools.get(asker.name) if asker else None) for asker in askers]
    if not operation.is_read or not operation.path_parameters:
        return own
    return own + [
        (asker, pool)
        for asker in askers
        if asker is not None
        for name, pool in ground.pools.items()
        if name != asker.name
    ]


def _askers(plan: ScanPlan, ground: Groundwork, operation: Operation) -> list[Identity | None]:
    """Who to try, in order: those the policy names, then everybody.

    An operation that changes the account of whoever calls it is only tried by the throw-away user;
    one that may do so, or may cost something, by that user first; one that may spend what is
    somebody's, or is about what only that user buys, by it as well.
    """
    own: list[Identity | None] = [ground.throwaway] if ground.throwaway is not None else []
    only_own = redeems(operation) and not is_for_configured(plan, ground, operation)
    if only_own or changes_the_caller(operation, ground.builder.slots(operation)):
        return own if operation.security else [None, *own]
    if own and plan.provision is None and operation == sign_up_operation(plan.api, ground.builder):
        return [None]  # nobody's session need become a new user's
    everybody: list[Identity | None] = list(ground.identities.values())
    roles = plan.policy.allowed_roles(operation)
    if roles is not None:
        everybody = [each for each in ground.identities.values() if each.role in roles]
    for_own = roles is None and (
        _as_itself(ground, operation) or is_bought_by_own(ground, operation)
    )
    if may_change_the_caller(operation, ground.builder) or may_cost(plan, ground, operation):
        everybody = [*own, *everybody]
    elif may_spend(ground, operation) or for_own:
        everybody = [*everybody, *own]  # all of whose things are the scan's
    if roles is not None or operation.requires_credential:
        return everybody
    if looks_like_login(operation, ground.builder):  # who asks makes no difference, a limit may
        return [None]
    return [None, *everybody]


def _as_itself(ground: Groundwork, operation: Operation) -> bool:
    """Whether the scan's own user may be served where nobody else is: it changes its own account,
    and reads what it was the only one to make.
    """
    return operation.is_read or works_on_users(ground, operation)
