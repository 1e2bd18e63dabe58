"""The operations by which one logs in, and one attempt with a password that is wrong. Pure.

`withstand.scan.probes.guessing` repeats it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from withstand.client.exchange import Request
from withstand.client.field_names import is_password, names_user
from withstand.client.identity import Identity, LoginRecipe
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.scan.access.accounts import looks_like_login
from withstand.scan.policy import matches
from withstand.scan.subject import Subject
from withstand.scan.wire.login import based

Guard = tuple[tuple[str, str], Mapping[str, str]] | None
"""Name and value of a token against forged requests, and the cookies that go with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An operation by which one logs in."""

    key: str
    operation: Operation | None  # None: known from [login] only, the document lacks it
    recipe: LoginRecipe | None  # how its body is written, where [login] says so


def logins(subject: Subject) -> tuple[Login, ...]:
    """The operations that take passwords from strangers: configured, limited, or by their look."""
    found: dict[str, Login] = {}
    if subject.login is not None and subject.login.is_personal:
        key = subject.login.operation_key
        found[key] = Login(key=key, operation=subject.api.operation(key), recipe=subject.login)
    for operation in subject.api.operations:
        named = any(matches(pattern, operation.key) for pattern in subject.policy.limits)
        if operation.key not in found and (named or looks_like_login(operation, subject.builder)):
            found[operation.key] = Login(key=operation.key, operation=operation, recipe=None)
    return tuple(login for login in found.values() if _forbidden(subject, login) is None)


def attempt(
    subject: Subject, login: Login, account: Mapping[str, str], password: str, guard: Guard
) -> Request:
    """One attempt. Raises Unbuildable, and KeyError for a field that [login] wants of nobody."""
    if login.recipe is not None:
        return _by_recipe(subject, login.recipe, account, password, guard)
    assert login.operation is not None, "without a recipe the document describes it"
    values: dict[Slot, object] = {}
    for slot in subject.builder.slots(login.operation):
        last = slot.name.rsplit(".", 1)[-1].lower()
        if is_password(slot.name):
            values[slot] = password
        elif slot.location == "body" and slot.is_text and names_user(last):
            by_email = "mail" in last or slot.schema.get("format") == "email"
            values[slot] = account.get(last) or account["email" if by_email else "username"]
    return subject.build(login.operation, replace=values).request


def _by_recipe(
    subject: Subject,
    recipe: LoginRecipe,
    account: Mapping[str, str],
    password: str,
    guard: Guard,
) -> Request:
    template = subject.identities[0] if subject.identities else None
    known = dict(template.fields) if template is not None else {"password": password}
    fields: dict[str, str] = {}
    for name, value in {**account, **known}.items():
        if is_password(name):
            fields[name] = password
        elif "@" in value or "mail" in name.lower():
            fields[name] = account["email"]
        elif name in account:
            fields[name] = account[name]
        elif names_user(name):
            fields[name] = account["username"]
        else:
            fields[name] = value  # a tenant or client that all identities share
    fields.setdefault("password", password)
    somebody = Identity(name="somebody", role="nobody", fields=fields)
    csrf, cookies = guard if guard is not None else (None, None)
    return based(recipe.request(somebody, csrf=csrf, cookies=cookies), subject.target.base_path)


def _forbidden(subject: Subject, login: Login) -> str | None:
    if login.operation is not None:
        return subject.policy.forbids(login.operation)
    listed = any(matches(pattern, login.key) for pattern in subject.policy.never)
    return "listed under never" if listed else None
