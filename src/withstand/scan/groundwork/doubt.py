"""What no word tells of a call, and a user of the scan's own finds out for all others (V8)."""

from dataclasses import dataclass, field
from functools import partial

from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.scan.answers.quiet_answers import Success
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import new_throwaway
from withstand.scan.groundwork.purchases import Purse, has_paid, may_cost, purse_of
from withstand.scan.groundwork.self_change import (
    Shown,
    account_shown,
    changed_itself,
    may_change_the_caller,
)
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier


@dataclass(slots=True, kw_only=True)
class Doubt:
    """Whether an operation may change the account of whoever sends it, or cost them something."""

    operation: Operation
    may_change: bool
    may_cost: bool
    _before: Shown | None = None
    _purse: Purse = field(default_factory=dict)

    async def look(self, ground: Groundwork, courier: Courier, user: Identity) -> None:
        """Keeps what the user has before it tries."""
        if self.may_change:
            self._before = await account_shown(ground, courier, user)
        if self.may_cost:
            self._purse = await purse_of(ground, courier, user)

    async def cost_nothing(
        self, plan: ScanPlan, ground: Groundwork, courier: Courier, user: Identity
    ) -> bool:
        """Whether the user has lost nothing though it might have: then others may try as well. What
        cost it something is nobody's who is configured.
        """
        if not self.may_cost:
            return False
        if not await has_paid(ground, courier, user, self._purse):
            return True
        courier.real_users.stay_out_of(partial(plan.calls, self.operation))
        return False

    async def see_to(
        self, plan: ScanPlan, ground: Groundwork, courier: Courier, user: Identity, found: Success
    ) -> None:
        """Another user of the scan's own, under the same name, for one that deleted its account;
        and nobody configured for a call that changed the account of whoever sent it.
        """
        gone = self.operation.removes and not self.operation.path_parameters
        if self.may_change:
            after = await account_shown(ground, courier, user)
            gone = gone or (self._before is not None and after is None)
            if changed_itself(user, found.response, self._before, after):
                courier.real_users.stay_out_of(partial(plan.calls, self.operation))
        if not gone:
            return
        made = await new_throwaway(plan, ground, courier, name=user.name)
        if isinstance(made, str) or made.credential is None or user.credential is None:
            return
        courier.supersede(user.credential, made.credential)


def doubt_of(plan: ScanPlan, ground: Groundwork, operation: Operation) -> Doubt:
    """What is to be found out of an operation."""
    return Doubt(
        operation=operation,
        may_change=may_change_the_caller(operation, ground.builder),
        may_cost=may_cost(plan, ground, operation),
    )
