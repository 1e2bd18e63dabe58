"""A scenario file's declaration → the scenario, by identities that are logged in."""

import time

from withstand.client.identity import Identity, LoginRecipe
from withstand.client.target import Target
from withstand.load.scenario.declaration import Declaration, declared_scenario
from withstand.load.scenario.scenario import Scenario
from withstand.scan.groundwork.preparation import first_expiry_s, logged_in
from withstand.workflows.documents import nonce
from withstand.workflows.wiring import open_wire


async def declared(
    target: Target,
    declaration: Declaration,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    *,
    timeout_s: float,
    connect_timeout_s: float,
    keep_alive: bool,
) -> tuple[Scenario, float | None]:
    """The scenario, and the Unix time at which the first token expires; None when none does.

    Raises IdentityBroken when an identity that it names cannot log in.
    """
    began_at_s = time.time()
    senders = tuple(each for each in identities if each.name in declaration.identities)
    async with open_wire(target, timeout_s, connect_timeout_s) as wire:
        ready = await logged_in(senders, login, wire, base_path=target.base_path)
    scenario = declared_scenario(
        declaration,
        {each.name: each for each in ready},
        target,
        run_id=nonce(),
        keep_alive=keep_alive,
    )
    return scenario, first_expiry_s(ready, logged_in_s=began_at_s)
