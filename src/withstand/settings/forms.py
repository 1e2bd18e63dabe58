"""The forms that text takes in the configuration: how each is read, and its JSON Schema. Pure.

Those of logins and of load are in files of their own; `FORMS` has them all.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, NewType

from withstand.client.proxy import NO_PROXY, parse_proxy
from withstand.errors import UsageError
from withstand.history.retention import PATTERN as _RETENTION
from withstand.history.retention import parse_retention
from withstand.scan.finding import Severity
from withstand.scan.policy import Profile
from withstand.settings.form import (
    METHODS,
    Form,
    Unfit,
    kind,
    require_json,
    suggestion,
    text,
    texts,
)
from withstand.settings.load_forms import (
    LOAD_FORMS,
    Duration,
    Leeway,
    Rate,
    Stages,
    ThinkTime,
    Weight,
)
from withstand.settings.login_forms import (
    LOGIN_FORMS,
    METHOD_PATTERN,
    CanaryRequest,
    HeaderTemplate,
    LoginRequest,
    Payload,
    TokenPath,
)

__all__ = [
    "ACCESS_WORDS",
    "FORMS",
    "AccessKey",
    "CanaryRequest",
    "Day",
    "Duration",
    "Form",
    "HeaderTemplate",
    "Keep",
    "Leeway",
    "Limit",
    "LoginRequest",
    "OperationPattern",
    "Payload",
    "PrivatePattern",
    "ProxyAddress",
    "Rate",
    "Stages",
    "Texts",
    "ThinkTime",
    "TokenPath",
    "Unfit",
    "Weight",
    "kind",
    "suggestion",
    "text",
]

OperationPattern = NewType("OperationPattern", str)
"""An operation key in which `*` stands for any text."""
AccessKey = NewType("AccessKey", str)
"""An operation pattern, or one of the words public and never."""
PrivatePattern = NewType("PrivatePattern", str)
"""A path pattern or an operation pattern."""
GivenValue = NewType("GivenValue", object)
"""A value that can be sent, or a table of them by the input's name."""
Limit = NewType("Limit", int)
"""A number of failures, at least one, written `10 failures` or `10`."""
Day = NewType("Day", date)
"""A calendar day."""
Fingerprint = NewType("Fingerprint", str)
"""16 hex digits that name a finding."""
Texts = NewType("Texts", tuple[str, ...])
"""One text or a list of texts."""
ProxyAddress = NewType("ProxyAddress", str)
"""The URL of an HTTP proxy, or the word none."""
Number = NewType("Number", float)
"""Any finite number."""
Keep = NewType("Keep", str)
"""How much of a history is kept, as `withstand.history.retention` reads it."""

ACCESS_WORDS: Final = ("public", "never")
_FINGERPRINT: Final = "^[0-9a-f]{16}$"
_OPERATION: Final = rf"^(\*|({METHOD_PATTERN}|\*) (/|\*)\S*)$"
_LIMIT: Final = r"^([1-9][0-9]*)( failures?)?$"


def _operation_pattern(value: object) -> OperationPattern:
    key = text(value)
    if re.match(_OPERATION, key):
        return OperationPattern(key)
    method, _, path = key.partition(" ")
    if method != method.upper() and method.upper() in METHODS:
        raise Unfit(f"{key!r} is no operation; write the method in capitals: {method.upper()} …")
    if path and method.upper() not in METHODS:
        raise Unfit(f"{key!r} is no operation{suggestion(method.upper(), METHODS)}")
    raise Unfit(f"{key!r} is no operation; write it as 'GET /orders/{{id}}'")


def _access_key(value: object) -> AccessKey:
    key = text(value)
    if key in ACCESS_WORDS:
        return AccessKey(key)
    hint = suggestion(key, ACCESS_WORDS)
    if hint:
        raise Unfit(f"{key!r} is no operation{hint}")
    return AccessKey(_operation_pattern(value))


def _private_pattern(value: object) -> PrivatePattern:
    pattern = text(value)
    if pattern.startswith("/"):
        return PrivatePattern(pattern)
    try:
        return PrivatePattern(_operation_pattern(pattern))
    except Unfit:
        raise Unfit(
            f"{pattern!r} is no path; write it as '/orders/*' or 'GET /orders/{{id}}'"
        ) from None


def _given_value(value: object) -> GivenValue:
    require_json(value)
    return GivenValue(value)


def _limit(value: object) -> Limit:
    match = None if isinstance(value, bool) else re.match(_LIMIT, str(value))
    if match is None:
        raise Unfit(f"expected a limit like '10 failures', got {kind(value)}")
    return Limit(int(match[1]))


def _day(value: object) -> Day:
    if isinstance(value, datetime):
        return Day(value.date())
    if isinstance(value, date):
        return Day(value)
    try:
        return Day(date.fromisoformat(text(value)))
    except ValueError:
        raise Unfit(f"expected a day like 2027-06-30, got {kind(value)}") from None


def _fingerprint(value: object) -> Fingerprint:
    written = text(value)
    if not re.match(_FINGERPRINT, written):
        raise Unfit(f"expected the 16 hex digits of a finding, got {written!r}")
    return Fingerprint(written)


def _number(value: object) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unfit(f"expected a number, got {kind(value)}")
    return Number(float(value))


def _proxy_address(value: object) -> ProxyAddress:
    address = text(value)
    if address != NO_PROXY:
        try:
            parse_proxy(address, source="the proxy")
        except UsageError as error:
            raise Unfit(f"{error.message}; {error.hint}") from None
    return ProxyAddress(address)


def _keep(value: object) -> Keep:
    try:
        parse_retention(text(value))
    except UsageError as error:
        raise Unfit(f"{error.message}; {error.hint}") from None
    return Keep(text(value))


def _choice(make: Callable[[str], object], values: tuple[str, ...]) -> Form:
    def read(value: object) -> object:
        name = text(value)
        if name not in values:
            wanted = ", ".join(values)
            raise Unfit(f"expected one of {wanted}, got {name!r}{suggestion(name, values)}")
        return make(name)

    return Form(read=read, schema={"enum": list(values)})


FORMS: Final[Mapping[Any, Form]] = {
    **LOAD_FORMS,
    **LOGIN_FORMS,
    OperationPattern: Form(
        read=_operation_pattern, schema={"type": "string", "pattern": _OPERATION}
    ),
    AccessKey: Form(
        read=_access_key,
        schema={"anyOf": [{"enum": list(ACCESS_WORDS)}, {"type": "string", "pattern": _OPERATION}]},
    ),
    PrivatePattern: Form(
        read=_private_pattern,
        schema={
            "type": "string",
            "anyOf": [{"pattern": "^/"}, {"pattern": _OPERATION}],
        },
    ),
    GivenValue: Form(read=_given_value, schema={}),
    Limit: Form(
        read=_limit,
        schema={
            "anyOf": [{"type": "string", "pattern": _LIMIT}, {"type": "integer", "minimum": 1}]
        },
    ),
    Day: Form(read=_day, schema={"type": "string", "format": "date"}),
    Fingerprint: Form(read=_fingerprint, schema={"type": "string", "pattern": _FINGERPRINT}),
    Texts: Form(
        read=lambda value: Texts(texts(value)),
        schema={
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
    ),
    ProxyAddress: Form(read=_proxy_address, schema={"type": "string", "minLength": 1}),
    Number: Form(read=_number, schema={"type": "number"}),
    Keep: Form(read=_keep, schema={"type": "string", "pattern": _RETENTION}),
    Severity: _choice(Severity, tuple(str(item) for item in Severity)),
    Profile: _choice(Profile, tuple(str(item) for item in Profile)),
}
