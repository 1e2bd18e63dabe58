"""The forms that text takes in the configuration: how each is read, and its JSON Schema. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Final, NewType

from withstand.client.proxy import NO_PROXY, parse_proxy
from withstand.errors import UsageError
from withstand.history.retention import PATTERN as _RETENTION
from withstand.history.retention import parse_retention
from withstand.load.profile.rhythm import parse_think_time
from withstand.load.profile.stage_text import parse_stages
from withstand.scan.finding import Severity
from withstand.scan.policy import Profile
from withstand.units import parse_duration_ns, parse_rate_per_s

Duration = NewType("Duration", int)
Leeway = NewType("Leeway", int)
"""Nanoseconds, written `30s`; a bare number counts seconds."""
Rate = NewType("Rate", float)
"""Requests per second, written `200/s` or `200`."""
Stages = NewType("Stages", str)
"""Stages of a load as `withstand.load.profile.stage_text` reads them, or a list of such texts."""
ThinkTime = NewType("ThinkTime", str)
"""A duration, or two with `..` between."""
OperationPattern = NewType("OperationPattern", str)
"""An operation key in which `*` stands for any text."""
AccessKey = NewType("AccessKey", str)
"""An operation pattern, or one of the words public and never."""
PrivatePattern = NewType("PrivatePattern", str)
"""A path pattern or an operation pattern."""
LoginRequest = NewType("LoginRequest", str)
"""Method and path of one request, without wildcards."""
HeaderTemplate = NewType("HeaderTemplate", str)
"""A header line with `{token}` in it."""
TokenPath = NewType("TokenPath", str)
"""A simple JSON path into the login response."""
Payload = NewType("Payload", dict[str, object])
"""Anything that JSON can say."""
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
Weight = NewType("Weight", float)
"""How often something is sent beside the others, above zero."""
ProxyAddress = NewType("ProxyAddress", str)
"""The URL of an HTTP proxy, or the word none."""
Keep = NewType("Keep", str)
"""How much of a history is kept, as `withstand.history.retention` reads it."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
ACCESS_WORDS: Final = ("public", "never")
_FINGERPRINT: Final = "^[0-9a-f]{16}$"
_METHOD_PATTERN: Final = "|".join(METHODS)
_OPERATION: Final = rf"^(\*|({_METHOD_PATTERN}|\*) (/|\*)\S*)$"
_REQUEST: Final = rf"^({_METHOD_PATTERN}) /[^\s*]*$"
_HEADER: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+:.*\{token\}.*$"
_LIMIT: Final = r"^([1-9][0-9]*)( failures?)?$"
_DURATION: Final = r"([0-9]+(\.[0-9]+)?\s*(ns|us|µs|ms|s|m|min|h|d)?)+"
_LEVEL: Final = r"([0-9]+(\.[0-9]+)?\s*(/\s*(s|sec|m|min|h)|u|users?)|0+(\.0+)?)"
_STAGES: Final = rf"^\s*({_DURATION}\s*:\s*)?{_LEVEL}\s*(,\s*({_DURATION}\s*:\s*)?{_LEVEL}\s*)*$"
_TOKEN_PATH: Final = r"^\$([.\[]\S*)?$"  # noqa: S105 - a JSON path, no secret


class Unfit(ValueError):  # noqa: N818 - a value that does not fit, told to the user as a problem
    """A value that is not what its key wants: the message says what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a value is read (raising `Unfit`), and the JSON Schema of what is accepted."""

    read: Callable[[object], Any]
    schema: Mapping[str, Any]


def suggestion(word: str, known: tuple[str, ...], *, cutoff: float = 0.6) -> str:
    """`; did you mean …?` when one of the known words is close, else nothing."""
    close = get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""


def kind(value: object) -> str:
    """What a value is, in the words of TOML and with short values shown."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value!r}" if len(value) <= 60 else "a long text"
        case int() | float():
            return f"the number {value}"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a table"
        case _:
            return f"the {type(value).__name__} {value}"


def text(value: object) -> str:
    """Text and nothing else."""
    if not isinstance(value, str):
        raise Unfit(f"expected text, got {kind(value)}")
    return value


def _with_unit(value: object, parse: Callable[[str], Any], example: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit(f"expected text like {example!r}, got {kind(value)}")
    try:
        return parse(str(value))
    except UsageError as error:
        raise Unfit(f"{error.message}; {error.hint}") from None


def _positive_duration(value: object) -> Duration:
    value_ns = _with_unit(value, parse_duration_ns, "30s")
    if value_ns == 0:
        raise Unfit("is no time at all; give more than zero")
    return Duration(value_ns)


def _leeway(value: object) -> Leeway:
    return Leeway(_with_unit(value, parse_duration_ns, "60s"))  # none at all is a fair answer


def _stages(value: object) -> Stages:
    written = ", ".join(_texts(value))
    _with_unit(written, parse_stages, "30s:200/s, 1m:200/s")
    return Stages(written)


def _think_time(value: object) -> ThinkTime:
    _with_unit(value, parse_think_time, "1s..3s")
    return ThinkTime(str(value))


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


def _login_request(value: object) -> LoginRequest:
    request = text(value)
    if not re.match(_REQUEST, request):
        method = request.partition(" ")[0].upper()
        hint = "" if method in METHODS else suggestion(method, METHODS)
        raise Unfit(f"{request!r} is no request; write it as 'POST /auth/token'{hint}")
    return LoginRequest(request)


def _header_template(value: object) -> HeaderTemplate:
    header = text(value)
    if "\n" in header or "\r" in header or not re.match(_HEADER, header):
        raise Unfit(f"{header!r} is no header line; write it as 'Authorization: Bearer {{token}}'")
    return HeaderTemplate(header)


def _token_path(value: object) -> TokenPath:
    path = text(value)
    if not re.match(_TOKEN_PATH, path):
        raise Unfit(f"{path!r} is no JSON path; write it as '$.access_token'")
    return TokenPath(path)


def _payload(value: object) -> Payload:
    if not isinstance(value, Mapping):
        raise Unfit(f'expected a table like {{ email = "{{email}}" }}, got {kind(value)}')
    _require_json(value)
    return Payload(dict(value))


def _given_value(value: object) -> GivenValue:
    _require_json(value)
    return GivenValue(value)


def _require_json(value: object) -> None:
    if isinstance(value, Mapping):
        for item in value.values():
            _require_json(item)
    elif isinstance(value, list):
        for item in value:
            _require_json(item)
    elif not isinstance(value, str | int | float | bool):
        raise Unfit(f"{kind(value)} cannot be sent; write it as text")


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


def _texts(value: object) -> Texts:
    if isinstance(value, str):
        return Texts((value,))
    if not isinstance(value, list | tuple):
        raise Unfit(f"expected a list of texts, got {kind(value)}")
    return Texts(tuple(text(item) for item in value))


def _weight(value: object) -> Weight:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"expected a number above zero, got {kind(value)}")
    if not 0 < value < math.inf:
        raise Unfit(f"is {value:g}; a weight is above zero, and what is not to be sent is left out")
    return Weight(float(value))


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
    Duration: Form(
        read=_positive_duration,
        schema={
            "anyOf": [
                {
                    "type": "string",
                    "pattern": rf"^{_DURATION}$",
                },
                {"type": "number", "exclusiveMinimum": 0},
            ]
        },
    ),
    Leeway: Form(
        read=_leeway,
        schema={
            "anyOf": [
                {
                    "type": "string",
                    "pattern": rf"^{_DURATION}$",
                },
                {"type": "number", "exclusiveMinimum": 0},
            ]
        },
    ),
    Rate: Form(
        read=lambda value: Rate(_with_unit(value, parse_rate_per_s, "200/s")),
        schema={
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(/\s*(s|sec|m|min|h))?$"},
                {"type": "number", "exclusiveMinimum": 0},
            ]
        },
    ),
    Stages: Form(
        read=_stages,
        schema={
            "anyOf": [
                {"type": "string", "pattern": _STAGES},
                {"type": "array", "items": {"type": "string", "pattern": _STAGES}, "minItems": 1},
            ]
        },
    ),
    ThinkTime: Form(
        read=_think_time,
        schema={
            "anyOf": [
                {"type": "string", "pattern": rf"^{_DURATION}(\.\.{_DURATION})?$"},
                {"type": "number", "minimum": 0},
            ]
        },
    ),
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
    LoginRequest: Form(read=_login_request, schema={"type": "string", "pattern": _REQUEST}),
    HeaderTemplate: Form(read=_header_template, schema={"type": "string", "pattern": _HEADER}),
    TokenPath: Form(read=_token_path, schema={"type": "string", "pattern": _TOKEN_PATH}),
    Payload: Form(read=_payload, schema={"type": "object"}),
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
        read=_texts,
        schema={
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
    ),
    Weight: Form(read=_weight, schema={"type": "number", "exclusiveMinimum": 0}),
    ProxyAddress: Form(read=_proxy_address, schema={"type": "string", "minLength": 1}),
    Keep: Form(read=_keep, schema={"type": "string", "pattern": _RETENTION}),
    Severity: _choice(Severity, tuple(str(item) for item in Severity)),
    Profile: _choice(Profile, tuple(str(item) for item in Profile)),
}
