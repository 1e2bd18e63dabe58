"""Properties beyond the declared ones, where a schema wants more of them. Pure."""

from collections.abc import Iterator, Mapping

from withstand.openapi.operation import Schema
from withstand.openapi.pattern_text import matches_pattern, text_matching
from withstand.openapi.plausible_text import Marks

_MOST = 50


def free_properties(flat: Schema, marks: Marks) -> Iterator[tuple[str, object]]:
    """Names that the schema leaves free, each with the schema of its value.

    By `patternProperties` first, then by `additionalProperties`; always as `propertyNames` asks.
    """
    patterns = flat.get("patternProperties")
    patterns = patterns if isinstance(patterns, Mapping) else {}
    names = flat.get("propertyNames")
    names = names if isinstance(names, Mapping) else {}
    others = flat.get("additionalProperties", True)
    for pattern, schema in patterns.items():
        for number in range(3):
            name = text_matching(pattern, seed=[each + number for each in marks.seed])
            if name is not None and _is_allowed(name, names):
                yield name, schema
    if others is False:
        return
    for number in range(1, _MOST):
        name = _named(number, names, marks)
        if name is not None and not any(matches_pattern(pattern, name) for pattern in patterns):
            yield name, others


def _named(number: int, names: Schema, marks: Marks) -> str | None:
    allowed = names.get("enum")
    if isinstance(allowed, list):
        return str(allowed[number - 1]) if number <= len(allowed) else None
    pattern = names.get("pattern")
    plain = f"key{number}"
    if _is_allowed(plain, names):
        return plain
    if isinstance(pattern, str):
        return text_matching(pattern, seed=[each + number for each in marks.seed])
    least = names.get("minLength")
    return plain + "x" * least if isinstance(least, int) and least < 200 else None


def _is_allowed(name: str, names: Schema) -> bool:
    pattern, least, most = names.get("pattern"), names.get("minLength"), names.get("maxLength")
    allowed = names.get("enum")
    return (
        (not isinstance(pattern, str) or matches_pattern(pattern, name))
        and (not isinstance(allowed, list) or name in allowed)
        and (not isinstance(least, int) or len(name) >= least)
        and (not isinstance(most, int) or len(name) <= most)
    )
