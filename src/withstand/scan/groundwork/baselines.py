"""A request per operation that works: the positive control without which nothing is judged (V1).

An operation is judged only when an authorised identity's request to it succeeded in this run.
Deleting, and changing an account, is only ever tried on objects and users of the scan's own (V8).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from withstand.client.exchange import Exchange
from withstand.client.identity import Identity
from withstand.client.soft_errors import says_no
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import producer_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access.accounts import login_slots, looks_like_login, sign_up_operation
from withstand.scan.answers.quiet_answers import Success, alike, may_be_a_refusal
from withstand.scan.groundwork.askers import turns
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.belongings import look_after, look_before
from withstand.scan.groundwork.corrections import corrections
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import (
    can_start_anew,
    let_in_again,
    new_throwaway,
    start_anew,
)
from withstand.scan.groundwork.own_ids import names_a_real_one, passes_over_own, risks_a_real_one
from withstand.scan.groundwork.own_objects import needs_own_object, on_own_object
from withstand.scan.groundwork.own_values import own_values
from withstand.scan.groundwork.purchases import Purse, has_paid, may_cost, purse_of
from withstand.scan.groundwork.redeeming import is_for_configured, redeems
from withstand.scan.groundwork.self_change import (
    Shown,
    account_shown,
    changed_itself,
    is_for_others,
    may_change_the_caller,
)
from withstand.scan.groundwork.spending import keep_from_spending, may_spend, require_own
from withstand.scan.groundwork.supplies import make_enough, public_place
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Baseline
from withstand.scan.wire.courier import Courier, NoiseStays

_LOOKED_AT: Final = frozenset({400, 404, 409, 422})
"""Refusals by which an operation shows that it looked at the input, not only at who is asking."""


async def take_baselines(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    begins: Callable[[int, Operation], None] = lambda _done, _operation: None,
) -> None:
    """A positive control for every operation that can have one, producers first.

    `begins` is told of each operation, and how many came before it.
    """
    ordered = in_dependency_order(plan.api.operations, resolve=plan.api.resolve)
    for done, operation in enumerate(ordered):
        begins(done, operation)
        forbidden = plan.policy.forbids(operation)
        if forbidden is not None:
            ground.missing[operation.key] = f"not called: {forbidden}"
            continue
        courier.place = f"the baseline of {operation.key}"
        await _take_baseline(plan, ground, courier, operation)


async def _take_baseline(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation
) -> None:
    """Everybody who may call it, with everything, then with only what is required; and where an
    answer says which input it dislikes, with another value for that.
    """
    tried = ground.attempts.setdefault(operation.key, [])
    silent: tuple[Success, Mapping[Slot, object]] | None = None
    before: Shown | None = None
    purse: Purse = {}
    unsure = may_change_the_caller(operation, ground.builder)
    # Nobody has to be let in to sign up: some say 403 to an address or a number that is taken.
    signs_up = operation == sign_up_operation(plan.api, ground.builder)
    costs = may_cost(plan, ground, operation)
    await keep_from_spending(plan, ground, courier, operation)
    if redeems(operation) and not is_for_configured(plan, ground, operation):
        courier.real_users.stay_out_of(partial(plan.calls, operation))
    for identity, pool in turns(plan, ground, operation):
        own = identity is not None and identity.throwaway
        fixed = _fixed(ground, operation)
        if not own and unsure and not is_for_others(plan, ground, operation, tried):
            break  # it may only work on what somebody configured has and the new user has not
        if identity is not None and not own:
            await look_before(ground, courier, operation, identity)
        if identity is not None and not operation.is_read:
            await make_enough(ground, courier, operation, identity)
            if own:
                fixed = {**fixed, **await own_values(plan, ground, courier, operation, identity)}
            if own and unsure:
                before = await account_shown(ground, courier, identity)
            if own and costs:
                purse = await purse_of(ground, courier, identity)
        for full in (True, False):
            goes_on = False
            for changed in corrections(ground, operation, fixed, tried):
                built, attempt = await _attempted(
                    plan, ground, courier, operation, identity, pool, full, fixed
                )
                tried.append(replace(attempt, repaired=changed))
                exchange = attempt.exchange
                response = exchange.response if exchange is not None else None
                if built is None or exchange is None or response is None:
                    break
                if response.succeeded and not says_no(response):
                    found = Success(identity, built, exchange, response)
                    paid = False
                    if own and costs and identity is not None:
                        paid = await has_paid(ground, courier, identity, purse)
                    for_others = own and costs and not paid
                    if for_others or may_be_a_refusal(plan.api, operation, found):
                        silent = silent or (found, fixed)
                        break
                    if paid:
                        courier.real_users.stay_out_of(partial(plan.calls, operation))
                    await _keep(ground, courier, operation, found, fixed)
                    if own:
                        await _seen_to(plan, ground, courier, found, before, unsure=unsure)
                    elif identity is not None:
                        await look_after(plan, ground, courier, operation, identity)
                    return
                _note_refusal(ground, operation, identity, built, exchange, fixed)
                turned_away = exchange.status in {401, 403} and not signs_up
                goes_on = not turned_away and _has_options(operation, built)
                if turned_away:
                    break
            if not goes_on:
                break
    if silent is not None:
        await _keep(ground, courier, operation, *silent)
        return
    ground.builder.unsettle(operation)
    reasons = [_short(attempt) for attempt in tried]
    ground.missing[operation.key] = "no valid baseline: " + (
        ", ".join(dict.fromkeys(reasons)) or "no configured identity may be used for it"
    )


async def _seen_to(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    found: Success,
    before: Shown | None,
    *,
    unsure: bool,
) -> None:
    """Another user of the scan's own, under the same name, for one that deleted its account; and
    nobody configured for a call that changed the account of whoever sent it.
    """
    operation, identity = found.built.operation, found.identity
    assert identity is not None, "only users of the scan's own are seen to"
    gone = operation.removes and not operation.path_parameters
    if unsure:
        after = await account_shown(ground, courier, identity)
        gone = gone or (before is not None and after is None)
        if changed_itself(identity, found.response, before, after):
            courier.real_users.stay_out_of(partial(plan.calls, operation))
    if not gone:
        return
    made = await new_throwaway(plan, ground, courier, name=identity.name)
    if isinstance(made, str) or made.credential is None or identity.credential is None:
        return
    courier.supersede(identity.credential, made.credential)


async def _attempted(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
    pool: ValuePool | None,
    full: bool,
    fixed: Mapping[Slot, object],
) -> tuple[Built | None, Attempt]:
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


def _has_options(operation: Operation, built: Built) -> bool:
    """Whether a request with only what is required is another one."""
    optional = {p.name for p in operation.parameters if not p.required and p.location == "query"}
    sent = {slot.name.split(".", 1)[0] for slot in built.values if slot.location == "query"}
    return bool(operation.bodies or optional & sent)


def _note_refusal(
    ground: Groundwork,
    operation: Operation,
    identity: Identity | None,
    built: Built,
    exchange: Exchange,
    fixed: Mapping[Slot, object],
) -> None:
    """Keeps the last refusal by which the operation shows that it looked at the input."""
    # A login looks at who is asking whatever it answers. A refusal may also be a 200 (V6).
    of_login = exchange.status == 401 and looks_like_login(operation, ground.builder)
    if exchange.status in _LOOKED_AT or exchange.succeeded or of_login:
        ground.refused[operation.key] = Baseline(
            operation=operation,
            identity=identity.name if identity else None,
            built=built,
            exchange=exchange,
            fixed=fixed,
        )


def _short(attempt: Attempt) -> str:
    if attempt.reason:
        return attempt.reason
    return f"{attempt.identity or 'anonymous'} got {attempt.status}"


async def _keep(
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    found: Success,
    fixed: Mapping[Slot, object],
) -> None:
    identity, exchange, response = found.identity, found.exchange, found.response
    ground.refused.pop(operation.key, None)
    if identity is not None and operation.is_read and not operation.requires_credential:
        # Anonymously it was asked for another object: only now it shows whether anybody may read.
        anybody = await courier.send(found.built.request)
        said = anybody.response
        if said is not None and said.succeeded and not says_no(said):
            asked = Success(None, found.built, anybody, said)
            if not may_be_a_refusal(ground.builder.api, operation, asked) or alike(response, said):
                identity, exchange, response = None, anybody, said
    # What anybody may see is no secret between identities; what one saw stays with that one.
    learners = [identity.name] if identity is not None else list(ground.pools)
    for name in learners:
        ground.pools[name].harvest(operation, exchange.request, response)
    again = await courier.send(exchange.request) if operation.is_read else None
    ground.baselines[operation.key] = Baseline(
        operation=operation,
        identity=identity.name if identity else None,
        built=found.built,
        exchange=exchange,
        again=again,
        fixed=fixed,
    )


def _fixed(ground: Groundwork, operation: Operation) -> Mapping[Slot, object]:
    """The throw-away user's name and password, for an operation that logs in."""
    if ground.throwaway is None:
        return {}
    return login_slots(operation, ground.builder, ground.throwaway.fields)
