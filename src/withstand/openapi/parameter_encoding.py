"""Values of parameters → text on the wire, by OpenAPI's styles. Pure.

In a path or query every character but the unreserved ones (RFC 3986, 2.3) is percent-encoded, so
that `../x`, `'` and NUL arrive as data. Headers and cookies carry the value as it is.
"""

import json
from collections.abc import Mapping
from urllib.parse import quote

from withstand.openapi.operation import Parameter

_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


def text_of(value: object) -> str:
    """A scalar as text; anything else as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case bytes():
            return value.decode("latin-1")
        case int() | float():
            return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def escaped(value: object) -> str:
    """The value percent-encoded completely, `/` as `%2F`; `.` and `..` are no path segments."""
    data = value if isinstance(value, bytes) else text_of(value).encode("utf-8", "surrogatepass")
    text = quote(data, safe="")
    return text.replace(".", "%2E") if text in {".", ".."} else text


def path_text(parameter: Parameter, value: object) -> str:
    """What stands in the template's place: styles simple, label and matrix."""
    explode = parameter.explode is True
    name = escaped(parameter.name)
    match value:
        case _ if parameter.style == "json":
            return escaped(json.dumps(value, default=str))
        case Mapping():
            pairs = [(escaped(key), escaped(part)) for key, part in value.items()]
            parts = [f"{k}={v}" if explode else f"{k},{v}" for k, v in pairs]
        case list():
            parts = [escaped(part) for part in value]
        case _:
            parts = [escaped(value)]
    if parameter.style == "label":
        return "." + ("." if explode else ",").join(parts)
    if parameter.style == "matrix":
        if explode and isinstance(value, Mapping):
            return "".join(f";{part}" for part in parts)
        if explode:
            return "".join(f";{name}={part}" for part in parts)
        return f";{name}={','.join(parts)}"
    return ",".join(parts)


def query_parts(parameter: Parameter, value: object) -> list[str]:
    """The `name=value` parts of a query: styles form, deepObject, space- and pipe-delimited."""
    name = escaped(parameter.name)
    explode = parameter.style in {None, "form"} if parameter.explode is None else parameter.explode
    match value:
        case _ if parameter.style == "json":
            return [f"{name}={escaped(json.dumps(value, default=str))}"]
        case Mapping() if parameter.style == "deepObject":
            return [part for key, inner in value.items() for part in _deep(name, key, inner)]
        case Mapping() if explode:
            return [f"{escaped(key)}={escaped(part)}" for key, part in value.items()]
        case Mapping():
            flat = [escaped(part) for pair in value.items() for part in pair]
            return [f"{name}={','.join(flat)}"]
        case list() if explode:
            return [f"{name}={escaped(part)}" for part in value]
        case list():
            separator = _SEPARATORS.get(parameter.style or "", ",")
            return [f"{name}={separator.join(escaped(part) for part in value)}"]
    return [f"{name}={escaped(value)}"]


def header_text(parameter: Parameter, value: object) -> str:
    """A header's value: style simple."""
    if parameter.style == "json":
        return json.dumps(value, default=str)
    if isinstance(value, Mapping):
        joint = "=" if parameter.explode is True else ","
        return ",".join(f"{key}{joint}{text_of(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ",".join(text_of(part) for part in value)
    return text_of(value)


def cookie_text(parameter: Parameter, value: object) -> str:
    """One `name=value` of a Cookie header."""
    return f"{parameter.name}={header_text(parameter, value)}"


def _deep(name: str, key: object, value: object) -> list[str]:
    inner = f"{name}%5B{escaped(key)}%5D"
    if isinstance(value, Mapping):
        return [part for sub, each in value.items() for part in _deep(inner, sub, each)]
    if isinstance(value, list):
        return [f"{inner}={escaped(part)}" for part in value]
    return [f"{inner}={escaped(value)}"]
