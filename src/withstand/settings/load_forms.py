"""The forms of times and of load: how long, how much, how often. Pure."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NewType

from withstand.errors import UsageError
from withstand.load.profile.rhythm import parse_think_time
from withstand.load.profile.stage_text import parse_stages
from withstand.settings.form import Form, Unfit, kind, texts
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
Weight = NewType("Weight", float)
"""How often something is sent beside the others, above zero."""

_DURATION: Final = r"([0-9]+(\.[0-9]+)?\s*(ns|us|µs|ms|s|m|min|h|d)?)+"
_LEVEL: Final = r"([0-9]+(\.[0-9]+)?\s*(/\s*(s|sec|m|min|h)|u|users?)|0+(\.0+)?)"
_STAGES: Final = rf"^\s*({_DURATION}\s*:\s*)?{_LEVEL}\s*(,\s*({_DURATION}\s*:\s*)?{_LEVEL}\s*)*$"


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
    written = ", ".join(texts(value))
    _with_unit(written, parse_stages, "30s:200/s, 1m:200/s")
    return Stages(written)


def _think_time(value: object) -> ThinkTime:
    _with_unit(value, parse_think_time, "1s..3s")
    return ThinkTime(str(value))


def _weight(value: object) -> Weight:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"expected a number above zero, got {kind(value)}")
    if not 0 < value < math.inf:
        raise Unfit(f"is {value:g}; a weight is above zero, and what is not to be sent is left out")
    return Weight(float(value))


def _text_or_number(pattern: str, **limits: float) -> dict[str, Any]:
    """The schema of what is written with a unit, or as a plain number of seconds or a second."""
    return {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", **limits}]}


LOAD_FORMS: Final[Mapping[Any, Form]] = {
    Duration: Form(
        read=_positive_duration, schema=_text_or_number(rf"^{_DURATION}$", exclusiveMinimum=0)
    ),
    Leeway: Form(read=_leeway, schema=_text_or_number(rf"^{_DURATION}$", minimum=0)),
    Rate: Form(
        read=lambda value: Rate(_with_unit(value, parse_rate_per_s, "200/s")),
        schema=_text_or_number(r"^[0-9]+(\.[0-9]+)?\s*(/\s*(s|sec|m|min|h))?$", exclusiveMinimum=0),
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
        schema=_text_or_number(rf"^{_DURATION}(\.\.{_DURATION})?$", minimum=0),
    ),
    Weight: Form(read=_weight, schema={"type": "number", "exclusiveMinimum": 0}),
}
