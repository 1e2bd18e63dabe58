"""What a user of the scan's own sends in the places where a value is theirs to give (V8)."""

from collections.abc import Mapping

from withstand.client.field_names import is_password, names_user
from withstand.client.identity import Identity
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import RECIPIENT_WORDS, thing_named, words
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.openapi.resources import nouns_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import new_throwaway
from withstand.scan.groundwork.own_objects import works_on_users
from withstand.scan.groundwork.redeeming import own_code, redeems
from withstand.scan.groundwork.self_change import account_shown
from withstand.scan.groundwork.spending import may_spend, own_things
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier


async def own_values(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """What `user`, who is the scan's own, spends or redeems, whom they mean, by which password."""
    values: dict[Slot, object] = {}
    if may_spend(ground, operation):
        values |= own_things(ground, operation, user)
    if redeems(operation):
        values |= await own_code(plan, ground, courier, operation, user)
    if works_on_users(ground, operation):
        values |= await _own_account(ground, courier, operation, user)
    if operation != sign_up_operation(plan.api, ground.builder):
        values |= _own_password(ground, operation, user)
    values |= await _somebody_else(plan, ground, courier, operation, user)
    return values


async def _own_account(
    ground: Groundwork, courier: Courier, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """A user of the scan's own in the path; nothing where neither a field nor a read of their
    account says what they are called.
    """
    path = [slot for slot in ground.builder.slots(operation) if slot.location == "path"]
    if len(path) != 1:
        return {}
    name = path[0].name
    value: object | None = user.fields.get(name) or user.fields.get(words(name)[-1])
    if value is None:
        shown = await account_shown(ground, courier, user)
        document = shown.answer.json() if shown is not None else None
        value = identifier_in(document, name, about=nouns_of(operation))
    return {} if value is None else {path[0]: value}


def _own_password(
    ground: Groundwork, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """The password of a user of the scan's own, as the present one and as the new one: so that a
    change of it is let in, changes nothing, and can be asked for again.
    """
    own = user.fields.get("password")
    slots = ground.builder.slots(operation) if own else ()
    return {s: own for s in slots if s.location == "body" and is_password(s.name)}


async def _somebody_else(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """A second user of the scan's own for each input that names who gets something: `to_email`."""
    given = ground.builder.given(operation)
    slots = {
        slot: field
        for slot in ground.builder.slots(operation)
        if slot.location == "body" and slot not in given
        for leaf in [slot.name.rpartition(".")[2]]
        if (field := thing_named(leaf) or "") in user.fields
        and names_user(field)
        and words(leaf)[0] in RECIPIENT_WORDS
    }
    if not slots:
        return {}
    others = (each for name, each in ground.throwaways.items() if name != user.name)
    other = next(others, None) or await new_throwaway(plan, ground, courier)
    return {} if isinstance(other, str) else {s: other.fields[field] for s, field in slots.items()}
