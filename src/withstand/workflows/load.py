"""The load: document, scenario file, user script or URL → requests → engine → Results."""

import time

from withstand.client.exchange import Request
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.load.scenario.declaration import Declaration
from withstand.load.scenario.scenario import scenario_from_requests
from withstand.load.script.script import Script
from withstand.results import Results
from withstand.scan.groundwork.preparation import (
    first_expiry_s,
    logged_in,
)
from withstand.scan.plan import ScanPlan
from withstand.workflows.declared_load import declared
from withstand.workflows.document_load import document_scenario, refuse_unknown
from withstand.workflows.load_plan import LoadPlan
from withstand.workflows.occasion import Occasion
from withstand.workflows.sending import NOBODY, Onlookers, loaded, refuse_expiring
from withstand.workflows.wiring import open_wire


def run_document_load(
    plan: ScanPlan,
    load: LoadPlan,
    occasion: Occasion,
    *,
    onlookers: Onlookers = NOBODY,
) -> Results:
    """Load on operations of the document, each with a request that succeeded once before.

    The measurement says which it left out for want of such a request. Raises RunVoid when that
    is all that a pattern chose or a token would expire before the end, and UsageError for an
    objective on no operation of the document.
    """
    refuse_unknown(plan.api, occasion.objectives)

    async def journey() -> Results:
        prepared, scenario = await document_scenario(
            plan,
            load.operations,
            weights=load.weights,
            keep_alive=load.keep_alive,
            follow_redirects=load.follow_redirects,
        )
        refuse_expiring(prepared.expires_at_s, load)
        return await loaded(
            plan.target,
            scenario,
            load,
            occasion,
            onlookers,
            api=plan.api,
            left_out=prepared.missing,
        )

    return run(journey())


def run_request_load(
    target: Target,
    request: Request,
    load: LoadPlan,
    occasion: Occasion,
    *,
    onlookers: Onlookers = NOBODY,
) -> Results:
    """Load of one request, without a document."""
    key = f"{request.method} {request.operation_path}"
    scenario = scenario_from_requests(
        [(key, request)],
        target,
        keep_alive=load.keep_alive,
        follow_redirects=load.follow_redirects,
    )
    return run(loaded(target, scenario, load, occasion, onlookers))


def run_script_load(
    target: Target,
    script: Script,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    load: LoadPlan,
    occasion: Occasion,
    *,
    onlookers: Onlookers = NOBODY,
) -> Results:
    """Load by the users of a user script, logged in as the identities that it names.

    Raises UsageError for an identity that is not configured, IdentityBroken when one cannot log
    in, and RunVoid when a token would expire before the end.
    """
    if load.follow_redirects or not load.keep_alive:
        raise UsageError(
            f"{script.source} decides by itself about redirects and connections",
            hint="leave --follow-redirects and --no-keep-alive out, and give allow_redirects=True "
            "in the script",
        )
    for name in script.identities:
        if not any(each.name == name for each in identities):
            known = ", ".join(each.name for each in identities) or "nobody"
            raise UsageError(
                f"{script.source} has users logged in as {name!r}, and the configuration has "
                f"{known}",
                hint=f"add [identities.{name}] to withstand.toml, or correct identity= in the "
                f"script",
            )

    async def journey() -> Results:
        began_at_s = time.time()
        senders = tuple(each for each in identities if each.name in script.identities)
        async with open_wire(target, load.timeout_s, load.connect_timeout_s) as wire:
            ready = await logged_in(senders, login, wire, base_path=target.base_path)
        refuse_expiring(first_expiry_s(ready, logged_in_s=began_at_s), load)
        credentials = {each.name: each.credential for each in ready if each.credential is not None}
        return await loaded(target, script, load, occasion, onlookers, credentials=credentials)

    return run(journey())


def run_scenario_load(
    target: Target,
    declaration: Declaration,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    load: LoadPlan,
    occasion: Occasion,
    *,
    onlookers: Onlookers = NOBODY,
) -> Results:
    """Load of the requests that a scenario file declares, by the identities that it names.

    Raises IdentityBroken when one of them cannot log in, and RunVoid when a token would expire
    before the end.
    """

    async def journey() -> Results:
        scenario, expires_at_s = await declared(
            target,
            declaration,
            identities,
            login,
            timeout_s=load.timeout_s,
            connect_timeout_s=load.connect_timeout_s,
            keep_alive=load.keep_alive,
        )
        refuse_expiring(expires_at_s, load)
        return await loaded(target, scenario, load, occasion, onlookers)

    return run(journey())
