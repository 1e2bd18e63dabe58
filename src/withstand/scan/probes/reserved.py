"""Values that the document lets callers send, and that are others' to give all the same. Pure.

That callers may send a `status` or a `plan` is usual, and a privilege only where something says so:
the document shows a value that callers may not choose, only an operation for other roles brings it
about, or it is the role that a configured administrator has.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.openapi.naming import noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path, parameter_in, segments
from withstand.openapi.request_builder import Slot
from withstand.openapi.resources import reader_of
from withstand.scan.access.accounts import is_on_users, sign_up_operation
from withstand.scan.access.audience import canary_of
from withstand.scan.access.ownership import ADMINISTRATORS
from withstand.scan.answers.shape import leaves
from withstand.scan.probes.privileges import Reserved, allowed_values
from withstand.scan.subject import Subject

_ADMINS: Final = ADMINISTRATORS | {"staff"}
_STATES: Final = frozenset({"status", "state"})
_GRANTS: Final[Mapping[str, str]] = {
    "approve": "approved", "verify": "verified", "certify": "certified", "refund": "refunded",
    "accredit": "accredited", "endorse": "endorsed",
}  # fmt: skip
"""What somebody else does to a thing, and how it is called then."""


def reserved_at(
    subject: Subject, operation: Operation, slots: tuple[Slot, ...], *, own_account: bool = False
) -> Reserved:
    """What is not the caller's to give in an operation."""
    choices = {
        slot.name.rsplit(".", 1)[-1]: slot.schema["enum"]
        for slot in slots
        if slot.location == "body" and isinstance(slot.schema.get("enum"), list)
    }
    shown_by = (operation, reader_of(subject.api, operation))
    granted = frozenset(_granted_by_others(subject, operation, own_account=own_account))

    def reserved(name: str, value: Any) -> object | None:
        if name in choices:
            for each in shown_by:
                shown = allowed_values(subject.api, each, name, shown=True) if each else ()
                more: list[object] = [v for v in shown if v not in choices[name] and v != value]
                if more:
                    return more[-1]
        last = words(name)[-1]
        if last in granted and value is False:
            return True
        if last in _STATES and isinstance(value, str):
            known = {str(v).lower(): v for v in choices.get(name, sorted(granted))}
            return next((known[word] for word in sorted(granted) if word in known), None)
        return _role_of_an_administrator(subject, name, value) if own_account else None

    return reserved


def _granted_by_others(
    subject: Subject, operation: Operation, *, own_account: bool
) -> Iterator[str]:
    """How such a thing is called once an operation was used that only other roles may use:
    `POST /admin/claims/{id}/approve`.
    """
    callers = {each.role for each in (subject.owner, subject.throwaway) if each is not None}
    about = _thing(operation)
    sign_up = sign_up_operation(subject.api, subject.builder)
    by_callers: set[str] = set()
    by_others: set[str] = set()
    for each in subject.api.operations:
        deed = segments(each.path)[-1:]
        if not deed or parameter_in(deed[0]) or words(deed[0])[0] not in _GRANTS:
            continue
        on_users = is_on_users(subject.api, each, sign_up)
        if not (on_users if own_account else _thing(each) == about):
            continue
        roles = subject.policy.allowed_roles(each)
        others = roles is not None and not callers & {*roles}
        (by_others if others else by_callers).add(_GRANTS[words(deed[0])[0]])
    yield from by_others - by_callers


def _thing(operation: Operation) -> str:
    """What the last path parameter picks one of, else what the path ends in."""
    parts = segments(item_path(operation.path) or operation.path)
    return noun(next((part for part in reversed(parts) if not parameter_in(part)), ""))


def _role_of_an_administrator(subject: Subject, name: str, value: Any) -> object | None:
    """The role that an administrator's account shows, where everybody's account shows the role
    that the configuration says.
    """
    found: dict[str, str] = {}
    for identity in subject.identities:
        account = canary_of(subject, identity)
        document = account.response.json() if account and account.response else None
        shown = dict(leaves(document)).get(name)
        if not isinstance(shown, str) or not {*words(shown)} & {*words(identity.role)}:
            return None
        found[identity.role] = shown
    return next((v for v in found.values() if v != value and _ADMINS & {*words(v)}), None)
