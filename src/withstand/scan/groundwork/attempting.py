"""One try at a request that succeeds, on nothing that is not the scan's own (V8)."""

from collections.abc import Mapping

from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import producer_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import can_start_anew, let_in_again, start_anew
from withstand.scan.groundwork.own_ids import names_a_real_one, passes_over_own, risks_a_real_one
from withstand.scan.groundwork.own_objects import needs_own_object, on_own_object
from withstand.scan.groundwork.spending import may_spend, require_own
from withstand.scan.groundwork.supplies import public_place
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier, NoiseStays


async def attempted(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
    pool: ValuePool | None,
    full: bool,
    fixed: Mapping[Slot, object],
) -> tuple[Built | None, Attempt]:
    """One request for a baseline, if it can harm nobody: what was built, and what came of it.

    `fixed` are values that are given, `full` says whether optional inputs are sent too.
    """
    name = identity.name if identity else None
    try:
        its_own = any(slot.location == "path" for slot in fixed)
        own = needs_own_object(plan.api, operation) and not its_own
        built = (
            await on_own_object(plan, ground, courier, operation, identity, full)
            if own
            else ground.builder.build(operation, pool, full=full, replace=fixed)
        )
        by_own = identity is not None and identity.throwaway
        if not (own or its_own) and risks_a_real_one(ground, operation, pool, built, by_own=by_own):
            producer = producer_of(plan.api, operation)
            if producer is not None and producer == sign_up_operation(plan.api, ground.builder):
                raise Unbuildable("nothing of the scan's own to change: it works on users")
            place = public_place(ground, operation) if producer is None else {}
            built = (
                ground.builder.build(operation, pool, full=full, replace={**fixed, **place})
                if place
                else await on_own_object(plan, ground, courier, operation, identity, full)
            )
        if passes_over_own(ground, operation, built):
            raise Unbuildable("it may act on what it names, and another is the scan's own")
        if names_a_real_one(ground, operation, pool, built):
            raise Unbuildable("the id of what it works on gets no value: it may be a real one's")
        if may_spend(ground, operation):
            require_own(plan, ground, operation, built.request)
        request = identity.authorize(built.request) if identity else built.request
        signs_up = operation == sign_up_operation(plan.api, ground.builder)
        if identity is not None and signs_up and not can_start_anew(plan, identity):
            raise Unbuildable(f"it may turn the session of {name}, who cannot log in, into another")
        exchange = await courier.send(request)
        if identity is not None and signs_up:
            await start_anew(plan, ground, courier, identity)
        if name is not None:
            exchange = await let_in_again(plan, ground, courier, exchange, name) or exchange
            if exchange.succeeded:
                ground.served.add(name)
    except Unbuildable as problem:
        return None, Attempt(identity=name, full=full, reason=problem.reason)
    except NoiseStays as noise:
        return None, Attempt(identity=name, full=full, exchange=noise.exchange, reason=str(noise))
    return built, Attempt(identity=name, full=full, built=built, exchange=exchange)
