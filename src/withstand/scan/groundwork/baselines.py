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
from withstand.openapi.request_builder import Built, Slot
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access.accounts import login_slots, looks_like_login, sign_up_operation
from withstand.scan.answers.quiet_answers import Success, alike, may_be_a_refusal
from withstand.scan.groundwork.askers import turns
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.attempting import attempted
from withstand.scan.groundwork.belongings import look_after, look_before
from withstand.scan.groundwork.corrections import corrections
from withstand.scan.groundwork.doubt import doubt_of
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_values import own_values
from withstand.scan.groundwork.redeeming import is_for_configured, redeems
from withstand.scan.groundwork.self_change import (
    is_for_others,
)
from withstand.scan.groundwork.spending import keep_from_spending
from withstand.scan.groundwork.supplies import make_enough
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Baseline
from withstand.scan.wire.courier import Courier

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
    """The first request that succeeds, of everybody who may call it."""
    tried = ground.attempts.setdefault(operation.key, [])
    doubt = doubt_of(plan, ground, operation)
    silent: tuple[Success, Mapping[Slot, object]] | None = None
    await keep_from_spending(plan, ground, courier, operation)
    if redeems(operation) and not is_for_configured(plan, ground, operation):
        courier.real_users.stay_out_of(partial(plan.calls, operation))
    for identity, pool in turns(plan, ground, operation):
        own = identity if identity is not None and identity.throwaway else None
        if own is None and doubt.may_change and not is_for_others(plan, ground, operation, tried):
            break  # it may only work on what somebody configured has and the new user has not
        fixed = _fixed(ground, operation)
        if identity is not None and own is None:
            await look_before(ground, courier, operation, identity)
        if identity is not None and not operation.is_read:
            await make_enough(ground, courier, operation, identity)
        if own is not None and not operation.is_read:
            fixed = {**fixed, **await own_values(plan, ground, courier, operation, own)}
            await doubt.look(ground, courier, own)
        found = await _first_success(plan, ground, courier, operation, identity, pool, fixed)
        if found is None:
            continue
        for_others = own is not None and await doubt.cost_nothing(plan, ground, courier, own)
        if for_others or may_be_a_refusal(plan.api, operation, found):
            silent = silent or (found, fixed)
            continue
        await _keep(ground, courier, operation, found, fixed)
        if own is not None:
            await doubt.see_to(plan, ground, courier, own, found)
        elif identity is not None:
            await look_after(plan, ground, courier, operation, identity)
        return
    if silent is not None:
        await _keep(ground, courier, operation, *silent)
        return
    ground.builder.unsettle(operation)
    reasons = [_short(attempt) for attempt in tried]
    ground.missing[operation.key] = "no valid baseline: " + (
        ", ".join(dict.fromkeys(reasons)) or "no configured identity may be used for it"
    )


async def _first_success(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
    pool: ValuePool | None,
    fixed: Mapping[Slot, object],
) -> Success | None:
    """As one identity: with everything, then with only what is required; and where an answer says
    which input it dislikes, with another value for that.
    """
    tried = ground.attempts[operation.key]
    # Nobody has to be let in to sign up: some say 403 to an address or a number that is taken.
    signs_up = operation == sign_up_operation(plan.api, ground.builder)
    for full in (True, False):
        goes_on = False
        for changed in corrections(ground, operation, fixed, tried):
            built, attempt = await attempted(
                plan, ground, courier, operation, identity, pool, full, fixed
            )
            tried.append(replace(attempt, repaired=changed))
            exchange = attempt.exchange
            response = exchange.response if exchange is not None else None
            if built is None or exchange is None or response is None:
                break
            if response.succeeded and not says_no(response):
                return Success(identity, built, exchange, response)
            _note_refusal(ground, operation, identity, built, exchange, fixed)
            turned_away = exchange.status in {401, 403} and not signs_up
            goes_on = not turned_away and _has_options(operation, built)
            if turned_away:
                break
        if not goes_on:
            break
    return None


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
