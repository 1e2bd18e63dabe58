"""How somebody gets a request that succeeds for an operation that has none. Pure."""

import json
from collections.abc import Iterator, Sequence

from withstand.openapi.operation import Operation
from withstand.openapi.slot import Slot
from withstand.scan.access.accounts import changes_an_account, changes_the_caller
from withstand.scan.answers.complaints import complaints
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.redeeming import redeems
from withstand.scan.plan import ScanPlan


def advice(
    plan: ScanPlan, operation: Operation, attempts: Sequence[Attempt], slots: Sequence[Slot]
) -> tuple[str, ...]:
    """What to do next, the likeliest first; lines for withstand.toml are written out."""
    return tuple(dict.fromkeys(_advice(plan, operation, attempts, slots)))


def _advice(
    plan: ScanPlan, operation: Operation, attempts: Sequence[Attempt], slots: Sequence[Slot]
) -> Iterator[str]:
    key = operation.key
    if plan.policy.forbids(operation) is not None:
        return
    if operation.lost:
        yield f"correct the document: {operation.lost}"
        return
    if not attempts:
        roles = plan.policy.allowed_roles(operation)
        if roles and not any(identity.role in roles for identity in plan.identities):
            yield f"add an identity of role {' or '.join(sorted(roles))} under [identities]"
        elif (
            changes_an_account(operation)
            or changes_the_caller(operation, slots)
            or redeems(operation)
        ):
            yield "it changes the account of whoever calls it, so only a user of the scan's own may"
            yield "declare the operation by which anybody signs up, and [login]"
            if redeems(operation):
                yield f"or name it under [values]: {_toml_key(key)} = {{ … }}"
        else:
            yield "add somebody who may call it under [identities], and how they log in: [login]"
        return
    statuses = {a.exchange.status for a in attempts if a.exchange is not None}
    last = next((a for a in reversed(attempts) if a.exchange is not None), None)
    if last is None:
        yield from _unbuilt(operation, attempts)
        return
    named = _named(attempts, slots)
    if named:
        values = ", ".join(f"{_toml_key(slot.name)} = …" for slot in named[:4])
        yield f"give values that the API takes, under [values]: {_toml_key(key)} = {{ {values} }}"
        yield "or give these inputs an `example` in the document"
    elif statuses & {400, 409, 422}:
        yield (
            f"give a body that the API takes as `example` in the document, or single values under "
            f"[values]: {_toml_key(key)} = {{ name = … }}"
        )
    if statuses & {404, 410} and operation.path_parameters:
        name = operation.path_parameters[-1].name
        yield (
            f"give one that exists, under [values]: {_toml_key(key)} = {{ {_toml_key(name)} = … }}"
        )
    if statuses and statuses <= {401}:
        if plan.identities:
            yield "look whether the credential is sent as the API wants it: send_as under [login]"
        else:
            yield "add [login] and [identities] to withstand.toml"
        if not operation.security:
            yield "declare its `security` in the document: it asks for a credential"
    elif 403 in statuses:
        tried_roles = sorted({identity.role for identity in plan.identities})
        yield (
            f"add an identity of a role that may call it under [identities] (tried: "
            f"{', '.join(tried_roles) or 'nobody'})"
        )
        yield f'and name the role under [access]: {_toml_key(key)} = ["admin"]'
    if any(status is not None and status >= 500 for status in statuses):
        yield "the API itself failed: look in its log"
    if last.exchange is not None and last.exchange.status is None:
        yield "the API did not answer: look whether it takes longer than timeout under [target]"
    if statuses & {405, 501}:
        yield "the API does not know this method there: is the document that of this version?"
    if statuses & {404} and not operation.path_parameters:
        yield from _unknown(plan, operation)
    if statuses & {415, 406}:
        yield "the API wants another media type than the document says"
    if 429 in statuses:
        yield "a rate limit refused it: raise it for the test environment, or set requests_per_s"
        yield "under [security.budget]"


def _unknown(plan: ScanPlan, operation: Operation) -> Iterator[str]:
    """What a 404 may want where no path parameter names anything."""
    names = [p.name for p in operation.parameters if p.required and p.location == "query"]
    if plan.lacks:
        yield f"the document serves it below {plan.lacks}: add that to base_url under [target]"
    elif names:
        values = ", ".join(f"{_toml_key(name)} = …" for name in names)
        yield f"name what exists, under [values]: {_toml_key(operation.key)} = {{ {values} }}"
    else:
        yield "the API does not know this path: is base_url under [target] complete?"


def _unbuilt(operation: Operation, attempts: Sequence[Attempt]) -> Iterator[str]:
    reason = attempts[-1].reason
    if "media type" in reason:
        yield "offer JSON or a form as well, or leave the operation to other tests"
    elif "of the scan's own to" in reason or "an id to use" in reason:
        yield (
            "the scan changes and deletes only what it created: declare the operation that "
            "creates it, with the id in its answer or in Location"
        )
        if not operation.removes and operation.path_parameters:
            name = _toml_key(operation.path_parameters[-1].name)
            yield (
                "or name one that may be spoiled, under [values]: "
                f"{_toml_key(operation.key)} = {{ {name} = … }}"
            )
    elif "may be somebody's real one" in reason:
        yield "declare the operation by which anybody signs up, or set provision under [login]"
        yield f"or name one under [values]: {_toml_key(operation.key)} = {{ name = … }}"
    elif "gets no value" in reason:
        yield f"give it one under [values]: {_toml_key(operation.key)} = {{ name = … }}"
    else:
        yield f"correct the document: {reason}"


def _named(attempts: Sequence[Attempt], slots: Sequence[Slot]) -> list[Slot]:
    found: dict[Slot, None] = {}
    for attempt in reversed(attempts):
        response = attempt.exchange.response if attempt.exchange is not None else None
        if response is not None and (response.status in {400, 409, 422} or response.succeeded):
            found.update(dict.fromkeys(c.slot for c in complaints(response, slots)))
    return list(found)


def _toml_key(text: str) -> str:
    plain = text.replace("_", "").replace("-", "")
    return text if plain.isalnum() and plain.isascii() else json.dumps(text)
