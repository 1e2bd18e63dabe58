"""The journeys of `withstand stress`: document, scenario file or URL → requests → the search."""

import time
from dataclasses import replace
from typing import Final

from withstand.client.exchange import Request
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import RunVoid
from withstand.load.scenario.declaration import Declaration
from withstand.load.scenario.scenario import scenario_from_requests
from withstand.results import Results
from withstand.scan.plan import ScanPlan
from withstand.stats.capacity import SearchPlan
from withstand.workflows.declared_load import declared
from withstand.workflows.document_load import document_scenario, refuse_unknown
from withstand.workflows.occasion import Occasion
from withstand.workflows.searching import Searching
from withstand.workflows.stress_plan import StressObserver, StressPlan

_TOKEN_MARGIN_S: Final = 10.0


def run_document_stress(
    plan: ScanPlan, stress: StressPlan, occasion: Occasion, *, observer: StressObserver
) -> Results:
    """The sustainable rate of operations of the document, each with a request that succeeded once.

    A token that expires before the search may end cuts its time short. Raises RunVoid when one
    expires before a first step is through or nothing has a request that succeeds, and UsageError
    for objectives on no operation or on none that is sent.
    """
    refuse_unknown(plan.api, occasion.objectives)

    async def journey() -> Results:
        prepared, scenario = await document_scenario(
            plan,
            stress.operations,
            weights=stress.weights,
            keep_alive=stress.keep_alive,
            follow_redirects=stress.follow_redirects,
        )
        search = _before_expiry(stress.search, prepared.expires_at_s)
        searching = Searching(
            plan.target, scenario, replace(stress, search=search), occasion, observer
        )
        return await searching.results(api=plan.api, left_out=prepared.missing)

    return run(journey())


def run_request_stress(
    target: Target,
    request: Request,
    stress: StressPlan,
    occasion: Occasion,
    *,
    observer: StressObserver,
) -> Results:
    """The sustainable rate of one request, without a document. Raises UsageError as above."""
    key = f"{request.method} {request.operation_path}"
    scenario = scenario_from_requests(
        [(key, request)],
        target,
        keep_alive=stress.keep_alive,
        follow_redirects=stress.follow_redirects,
    )
    return run(Searching(target, scenario, stress, occasion, observer).results())


def run_scenario_stress(
    target: Target,
    declaration: Declaration,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    stress: StressPlan,
    occasion: Occasion,
    *,
    observer: StressObserver,
) -> Results:
    """The sustainable rate of the requests that a scenario file declares.

    Raises IdentityBroken when an identity that it names cannot log in, and RunVoid and UsageError
    as `run_document_stress` does.
    """

    async def journey() -> Results:
        scenario, expires_at_s = await declared(
            target,
            declaration,
            identities,
            login,
            timeout_s=stress.timeout_s,
            connect_timeout_s=stress.connect_timeout_s,
            keep_alive=stress.keep_alive,
        )
        cut = replace(stress, search=_before_expiry(stress.search, expires_at_s))
        return await Searching(target, scenario, cut, occasion, observer).results()

    return run(journey())


def _before_expiry(search: SearchPlan, expires_at_s: float | None) -> SearchPlan:
    """The search with no more time than a token leaves it. Raises RunVoid."""
    if expires_at_s is None:
        return search
    left_s = expires_at_s - time.time() - _TOKEN_MARGIN_S
    if left_s < search.step_s + search.hold_s:
        raise RunVoid(
            f"a token expires in {max(left_s + _TOKEN_MARGIN_S, 0):.0f} s, and a step and "
            f"the hold after it need {search.step_s + search.hold_s:.0f} s",
            hint="log in for longer-lived tokens under [login]",
        )
    return replace(search, budget_s=min(search.budget_s, left_s))
