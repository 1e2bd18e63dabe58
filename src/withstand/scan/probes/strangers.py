"""The same question about a user who exists and about users who do not. Pure.

A stranger is named like the known user, letter for letter of the same kind: what refuses a name
for its form, its length or its domain, refuses both.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from withstand.client.exchange import Request
from withstand.client.field_names import is_password, names_user
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.scan.policy import matches
from withstand.scan.probes.logins import Guard, Login
from withstand.scan.subject import Subject
from withstand.scan.wire.login import based

_RESET_WORDS: Final = re.compile(r"forg[eo]t|reset|recover|lost.?password", re.IGNORECASE)
_CODE_WORDS: Final = ("token", "code", "otp", "pin", "key")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def stranger_like(fields: Mapping[str, str], nonce: str) -> dict[str, str]:
    """The fields of somebody whom nobody knows; what names no user stays as it is.

    One name in two fields (`email` and `username`) stays one.
    """
    names = {key: value for key, value in fields.items() if _is_name(key, value)}
    other = {value: _lookalike(value, nonce) for value in set(names.values())}
    return {**fields, **{key: other[value] for key, value in names.items()}}


def with_password(fields: Mapping[str, str], password: str) -> dict[str, str]:
    """The fields with another password wherever one is."""
    return {"password": password} | {
        key: password if is_password(key) else value for key, value in fields.items()
    }


def known_user(subject: Subject) -> Identity | None:
    """Somebody who exists: the throw-away user where there is one, else the first identity."""
    if subject.throwaway is not None:
        return subject.throwaway
    return next((identity for identity in subject.identities if identity.fields), None)


def login_request(
    subject: Subject, login: Login, fields: Mapping[str, str], guard: Guard = None
) -> Request:
    """One attempt to log in, with what the login page gave against forged requests.

    Raises Unbuildable, and KeyError for a field that is not there.
    """
    if login.recipe is not None:
        somebody = Identity(name="somebody", role="nobody", fields=fields)
        csrf, cookies = guard if guard is not None else (None, None)
        request = login.recipe.request(somebody, csrf=csrf, cookies=cookies)
        return based(request, subject.target.base_path)
    assert login.operation is not None, "without a recipe the document describes it"
    return subject.build(login.operation, replace=_values(subject, login.operation, fields)).request


def reset_operations(subject: Subject) -> tuple[Operation, ...]:
    """The operations by which somebody who forgot the password asks for help, by name and body.

    The deny words, which keep a scan from them elsewhere, do not count; what is under never does.
    """
    return tuple(
        operation
        for operation in subject.api.operations
        if operation.method == "POST"
        and not operation.requires_credential
        and all(names_user(parameter.name) for parameter in operation.path_parameters)
        and _RESET_WORDS.search(f"{operation.path} {operation.operation_id or ''}")
        and not any(matches(pattern, operation.key) for pattern in subject.policy.never)
        and _asks_for_a_name(subject, operation)
    )


def reset_request(subject: Subject, operation: Operation, fields: Mapping[str, str]) -> Request:
    """The question for help with that user's password. Raises Unbuildable and KeyError."""
    return subject.build(operation, replace=_values(subject, operation, fields)).request


def _asks_for_a_name(subject: Subject, operation: Operation) -> bool:
    """Whether an input has a name of somebody, and none what only who was helped can know."""
    names = [slot.name.rsplit(".", 1)[-1].lower() for slot in _inputs(subject, operation)]
    return any(names_user(name) for name in names) and not any(
        is_password(name) or name.endswith(_CODE_WORDS) for name in names
    )


def _inputs(subject: Subject, operation: Operation) -> list[Slot]:
    """What a person fills in: `POST /password-recovery/{email}` has it in the path."""
    slots = subject.builder.slots(operation)
    return [slot for slot in slots if slot.location in {"body", "path", "query"}]


def _values(
    subject: Subject, operation: Operation, fields: Mapping[str, str]
) -> dict[Slot, object]:
    values: dict[Slot, object] = {}
    for slot in _inputs(subject, operation):
        last = slot.name.rsplit(".", 1)[-1]
        if is_password(slot.name):
            values[slot] = fields["password"]
        elif last in fields:
            values[slot] = fields[last]
        elif slot.is_text and names_user(last):
            by_mail = "mail" in last.lower() or slot.schema.get("format") == "email"
            values[slot] = _first(fields, ("email",) if by_mail else ("username", "email"))
    return values


def _first(fields: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """Raises KeyError naming the last of the keys."""
    for key in keys[:-1]:
        if key in fields:
            return fields[key]
    return fields[keys[-1]]


def _is_name(key: str, value: str) -> bool:
    return not is_password(key) and ("@" in value or names_user(key) or "phone" in key)


def _lookalike(text: str, nonce: str) -> str:
    """Another text of the same form: a letter for each letter, a digit for each digit.

    Of an e-mail address only the part before the @ changes, of digits not the first three.
    """
    local, at, domain = text.rpartition("@")
    changed = local if at else text
    stream = hashlib.shake_256(f"{nonce} {text}".encode()).digest(len(changed) or 1)
    made = []
    for index, (character, byte) in enumerate(zip(changed, stream, strict=False)):
        if character.isascii() and character.isalpha():
            letter = _LETTERS[byte % 26]
            made.append(letter.upper() if character.isupper() else letter)
        elif character.isdigit() and (index > 2 or not changed.isdigit()):
            made.append(str(byte % 10))
        else:
            made.append(character)
    return "".join(made) + (f"@{domain}" if at else "")
