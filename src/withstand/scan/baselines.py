"""A request per operation that works: the positive control without which nothing is judged (V1).

An operation is judged only when an authorised identity's request to it succeeded in this run.
Deleting, and changing an account, is only ever tried on objects and users of the scan's own (V8).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.client.identity import Identity
from withstand.client.soft_errors import says_no
from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.identifiers import identifier_in, identifier_in_location
from withstand.openapi.naming import is_identifier
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import item_path
from withstand.openapi.plausible_text import Marks, text_for
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import nouns_of, producer_of
from withstand.openapi.spoken import name_of_id
from withstand.openapi.value_pool import ValuePool
from withstand.scan.accounts import (
    changes_an_account,
    changes_the_caller,
    is_on_users,
    login_slots,
    looks_like_login,
    new_password,
    shows_the_user,
    sign_up_operation,
    sign_up_request,
)
from withstand.scan.attempt import Attempt
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.groundwork import Groundwork, let_in_again
from withstand.scan.objects import item_slot
from withstand.scan.own_ids import (
    listed_id,
    make_enough,
    names_a_real_user,
    public_place,
    risks_a_real_one,
)
from withstand.scan.plan import ScanPlan
from withstand.scan.repair import UNIQUE, repaired
from withstand.scan.subject import Baseline
from withstand.scan.throwaways import make_throwaway

_LOOKED_AT: Final = frozenset({400, 404, 409, 422})
"""Refusals by which an operation shows that it looked at the input, not only at who is asking."""
_REPAIRABLE: Final = frozenset({400, 409, 422})
_REPAIRS: Final = 2  # for each body
_MOST_REPAIRS: Final = 4  # for each operation


async def take_baselines(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """A positive control for every operation that can have one, producers first."""
    for operation in in_dependency_order(plan.api.operations, resolve=plan.api.resolve):
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
    fixed = _fixed(ground, operation)
    for identity, pool in _attempts(ground, operation, _askers(plan, ground, operation)):
        if identity is not None and not operation.is_read:
            await make_enough(ground, courier, operation, identity)
        for full in (True, False):
            goes_on = False
            for changed in _rounds(ground, operation, fixed, tried):
                built, attempt = await _attempted(
                    plan, ground, courier, operation, identity, pool, full, fixed
                )
                tried.append(replace(attempt, repaired=changed))
                exchange = attempt.exchange
                response = exchange.response if exchange is not None else None
                if built is None or exchange is None or response is None:
                    break
                if response.succeeded and not says_no(response):
                    await _keep(
                        ground, courier, operation, identity, built, exchange, response, fixed
                    )
                    ground.refused.pop(operation.key, None)
                    if identity is not None and identity.throwaway:
                        await _replaced_if_gone(plan, ground, courier, operation, identity)
                    return
                _note_refusal(ground, operation, identity, built, exchange, fixed)
                goes_on = exchange.status not in {401, 403} and _has_options(operation, built)
                if exchange.status in {401, 403}:
                    break
            if not goes_on:
                break
    ground.builder.unsettle(operation)
    reasons = [_short(attempt) for attempt in tried]
    ground.missing[operation.key] = "no valid baseline: " + (
        ", ".join(dict.fromkeys(reasons)) or "no configured identity may be used for it"
    )


async def _replaced_if_gone(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation, identity: Identity
) -> None:
    """Another user of the scan's own, under the same name, for one that deleted its account."""
    if not operation.removes or operation.path_parameters:
        return
    made = await make_throwaway(plan, ground.builder, courier, name=identity.name)
    if isinstance(made, Identity):
        if identity.credential is not None and made.credential is not None:
            courier.supersede(identity.credential, made.credential)
        ground.throwaways[identity.name] = made
        ground.pools[identity.name] = ValuePool()
        ground.logged_in_at_s[identity.name] = courier.now_s()


def _rounds(
    ground: Groundwork,
    operation: Operation,
    fixed: Mapping[Slot, object],
    tried: list[Attempt],
) -> Iterator[tuple[str, ...]]:
    """Asks for one attempt, and for further ones as long as the last answer says what to change."""
    yield ()
    for _ in range(_REPAIRS):
        if sum(bool(attempt.repaired) for attempt in tried) >= _MOST_REPAIRS or not tried:
            return
        changed = _settled(ground, operation, fixed, tried[-1])
        if not changed:
            return
        yield changed


def _settled(
    ground: Groundwork, operation: Operation, fixed: Mapping[Slot, object], last: Attempt
) -> tuple[str, ...]:
    """Other values for what the last answer objected to; the names of those inputs."""
    response = last.exchange.response if last.exchange is not None else None
    if response is None or last.built is None:
        return ()
    if (
        response.status not in _REPAIRABLE
        and response.accepted is not False
        and not says_no(response)
    ):
        return ()
    # Of a thing that has to exist another id may be somebody else's: those are never guessed.
    slots = [
        slot
        for slot in ground.builder.slots(operation)
        if slot.location != "path" and slot not in fixed and not is_identifier(slot.name)
    ]
    values = repaired(response, slots, last.built.values, ground.builder.nonce)
    ground.builder.settle(
        operation,
        {
            slot: partial(_new_text, slot) if value is UNIQUE else value
            for slot, value in values.items()
        },
    )
    return tuple(f"{slot.location} {slot.name}" for slot in values)


def _new_text(slot: Slot, marks: Marks) -> object:
    name = slot.name.rsplit(".", 1)[-1]
    return text_for(name, slot.schema, marks) or marks.token()


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
        own = _needs_own_object(plan.api, operation)
        built = (
            await _on_own_object(plan, ground, courier, operation, identity, full)
            if own
            else ground.builder.build(operation, pool, full=full, replace=fixed)
        )
        if not own and risks_a_real_one(ground, operation, pool, built):
            producer = producer_of(plan.api, operation)
            if producer is not None and producer == sign_up_operation(plan.api, ground.builder):
                raise Unbuildable("nothing of the scan's own to change: it works on users")
            place = public_place(ground, operation) if producer is None else {}
            built = (
                ground.builder.build(operation, pool, full=full, replace={**fixed, **place})
                if place
                else await _on_own_object(plan, ground, courier, operation, identity, full)
            )
        if names_a_real_user(ground, operation, built):
            raise Unbuildable("the id of the user on whom it works gets no value: it may be real")
        request = identity.authorize(built.request) if identity else built.request
        exchange = await courier.send(request)
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
    # A login looks at who is asking whatever it answers; its refusal may also be a 200 (V6).
    judged = exchange.status == 401 or exchange.succeeded
    if exchange.status in _LOOKED_AT or (judged and looks_like_login(operation, ground.builder)):
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
    identity: Identity | None,
    built: Built,
    exchange: Exchange,
    response: Response,
    fixed: Mapping[Slot, object],
) -> None:
    if identity is not None and operation.is_read and not operation.requires_credential:
        # Anonymously it was asked for another object: only now it shows whether anybody may read.
        anybody = await courier.send(built.request)
        if anybody.succeeded and anybody.response is not None:
            identity, exchange, response = None, anybody, anybody.response
    # What anybody may see is no secret between identities; what one saw stays with that one.
    learners = [identity.name] if identity is not None else list(ground.pools)
    for name in learners:
        ground.pools[name].harvest(operation, exchange.request, response)
    again = await courier.send(exchange.request) if operation.is_read else None
    ground.baselines[operation.key] = Baseline(
        operation=operation,
        identity=identity.name if identity else None,
        built=built,
        exchange=exchange,
        again=again,
        fixed=fixed,
    )


def _askers(plan: ScanPlan, ground: Groundwork, operation: Operation) -> list[Identity | None]:
    """Who to try, in order: those the policy names, then everybody.

    An operation that changes the account of whoever calls it is only tried by the throw-away user.
    """
    if changes_the_caller(operation, ground.builder.slots(operation)):
        own = [ground.throwaway] if ground.throwaway is not None else []
        return [*own] if operation.security else [None, *own]
    everybody = list(ground.identities.values())
    roles = plan.policy.allowed_roles(operation)
    if roles is not None:
        return [identity for identity in everybody if identity.role in roles]
    if operation.requires_credential:
        return [*everybody]
    if looks_like_login(operation, ground.builder):  # who asks makes no difference, a limit may
        return [None]
    return [None, *everybody]


def _attempts(
    ground: Groundwork, operation: Operation, askers: list[Identity | None]
) -> list[tuple[Identity | None, ValuePool | None]]:
    """Each asker with the values it learned itself; to read one thing, then also with the others'.

    An administrator may read what is known by its id only from other people's lists. Nothing that
    changes anything is ever tried with somebody else's ids.
    """
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


def _fixed(ground: Groundwork, operation: Operation) -> Mapping[Slot, object]:
    """The throw-away user's name and password, for an operation that logs in."""
    if ground.throwaway is None:
        return {}
    return login_slots(operation, ground.builder, ground.throwaway.fields)


def _needs_own_object(api: Api, operation: Operation) -> bool:
    if operation.removes:
        return name_of_id(operation, api.resolve) is not None
    return bool(operation.path_parameters) and changes_an_account(operation)


async def _on_own_object(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
    full: bool,
) -> Built:
    """The operation on an object, or a user, that was created for it. Raises Unbuildable."""
    pool = ground.pools.get(identity.name) if identity else None
    producer = producer_of(plan.api, operation)
    sign_up = sign_up_operation(plan.api, ground.builder)
    if changes_an_account(operation) and is_on_users(plan.api, operation, sign_up):
        if sign_up is None:
            raise Unbuildable("the document has no public sign-up for a user of the scan's own")
        producer, about = sign_up, nouns_of(operation)
        made, _ = sign_up_request(producer, ground.builder, new_password(plan.nonce()))
        request = made.request
    elif producer is not None:
        about = nouns_of(operation, producer)
        made = ground.builder.build(producer, pool)
        request = identity.authorize(made.request) if identity else made.request
    else:
        raise Unbuildable("nothing of the scan's own to change or delete: no operation creates it")
    forbidden = plan.policy.forbids(producer)
    if forbidden is not None:
        raise Unbuildable(f"{producer.key} is not called: {forbidden}")
    exchange = await courier.send(request)
    slot = item_slot(ground.builder, operation)
    response = exchange.response
    found: object | None = None
    unsure = producer == sign_up and response is not None and not shows_the_user(request, response)
    if response is not None and response.succeeded and not unsure:
        inside = frozenset(str(v) for s, v in made.values.items() if s.location == "path")
        location = response.made_at
        found = identifier_in(response.json(), slot.name, other_than=inside, about=about)
        if found is None and location:
            found = identifier_in_location(location, item_path(operation.path) or operation.path)
        if found is None and identity is not None:
            found = await listed_id(plan, ground, courier, operation, identity, made, slot.name)
    if found is None:
        raise Unbuildable(f"{producer.key} answered {exchange.status} without an id to use")
    return ground.builder.build(operation, pool, full=full, replace={slot: found})
