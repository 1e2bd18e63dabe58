"""Baselines of what deletes, or changes accounts: on objects and users made for it (V8)."""

from dataclasses import replace

from withstand.client.identity import Identity
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Built, Unbuildable
from withstand.openapi.resources import producer_of
from withstand.openapi.spoken import name_of_id
from withstand.scan.access.accounts import (
    changes_an_account,
    is_on_users,
    new_password,
    shows_the_user,
    sign_up_operation,
    sign_up_request,
)
from withstand.scan.access.making import MISPLACED, create
from withstand.scan.access.new_id import id_of_new
from withstand.scan.access.objects import Made, item_slot, located, parents
from withstand.scan.access.users import id_as_read
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_ids import listed_id
from withstand.scan.groundwork.surroundings import subject_of
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.driver import carried


def needs_own_object(api: Api, operation: Operation) -> bool:
    """Whether the operation is only to be tried on what was made for it."""
    if operation.removes:
        return name_of_id(operation, api.resolve) is not None
    return bool(operation.path_parameters) and changes_an_account(operation)


def works_on_users(ground: Groundwork, operation: Operation) -> bool:
    """Whether a change names in its path whose account it is about: `PUT /users/{name}/email`."""
    api, changes = ground.builder.api, not operation.is_read and not operation.removes
    return changes and is_on_users(api, operation, sign_up_operation(api, ground.builder))


async def on_own_object(
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
        producer = sign_up
        made, _ = sign_up_request(producer, ground.builder, new_password(plan.nonce()))
        request = made.request
    elif producer is not None:
        made = ground.builder.build(producer, pool)
        request = identity.authorize(made.request) if identity else made.request
    else:
        raise Unbuildable("nothing of the scan's own to change or delete: no operation creates it")
    forbidden = plan.policy.forbids(producer)
    if forbidden is not None:
        raise Unbuildable(f"{producer.key} is not called: {forbidden}")
    exchange = await courier.send(request)
    if exchange.status in MISPLACED and producer.path_parameters and producer != sign_up:
        shown = subject_of(plan, ground, courier, operation)
        again = await carried(create(shown, operation, by=identity), shown, courier)
        if isinstance(again, Made):
            return located(shown, operation, again, identity)
    slot = item_slot(ground.builder, operation)
    response = exchange.response
    found: object | None = None
    name = slot.name.rpartition(".")[2]
    signs_up = producer == sign_up
    unsure = signs_up and response is not None and not shows_the_user(request, response)
    if unsure and exchange.succeeded:
        shown = replace(subject_of(plan, ground, courier, operation), canary=ground.asks_who)
        reading = id_as_read(shown, operation, made, exchange, name)
        found = await carried(reading, shown, courier)
    elif response is not None and response.succeeded:
        found = id_of_new(operation, producer, made, response, name, signs_up=signs_up)
        if found is None and identity is not None:
            found = await listed_id(plan, ground, courier, operation, identity, made, name)
    if found is None:
        raise Unbuildable(f"{producer.key} answered {exchange.status} without an id to use")
    inside_of = parents(ground.builder, operation, producer, made)
    return ground.builder.build(operation, pool, full=full, replace={**inside_of, slot: found})
