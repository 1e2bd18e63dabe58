"""Numbers within the bounds of a schema, in exact arithmetic. Pure."""

from collections.abc import Iterator
from fractions import Fraction

from withstand.openapi.operation import Schema
from withstand.openapi.schema_fit import has_type


class NoValueError(ValueError):
    """No value was found that the schema allows."""


def number_for(schema: Schema, *, whole: bool, ordinal: int = 0) -> int | float:
    """The number nearest to 1 that is in bounds and a multiple of `multipleOf`.

    Raises `NoValueError`.
    """
    limits = {
        key: Fraction(str(schema[key]))
        for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
        if has_type(schema.get(key), "number") and abs(schema[key]) < 1e300
    }
    step = limits.get("multipleOf") or Fraction(1)
    if whole and step.denominator > 1:
        step = Fraction(step.numerator)  # the multiples that are whole
    low = max((limits[k] for k in ("minimum", "exclusiveMinimum") if k in limits), default=None)
    high = min((limits[k] for k in ("maximum", "exclusiveMaximum") if k in limits), default=None)
    above, below = limits.get("exclusiveMinimum"), limits.get("exclusiveMaximum")

    def inside(value: Fraction) -> bool:
        return (
            (low is None or value >= low)
            and (above is None or value > above)
            and (high is None or value <= high)
            and (below is None or value < below)
        )

    for value in _near_one(low, high, step, free=not whole and "multipleOf" not in limits):
        if inside(value + ordinal * step):
            value += ordinal * step
            return int(value) if value.denominator == 1 else float(value)
    raise NoValueError("no number is within its bounds")


def _near_one(
    low: Fraction | None, high: Fraction | None, step: Fraction, *, free: bool
) -> Iterator[Fraction]:
    one = step * max(1, 1 // step)
    yield one
    if low is not None:
        above = -(-low // step) * step
        yield from (above, above + step)
    if high is not None:
        under = high // step * step
        yield from (under, under - step)
    if free and low is not None and high is not None:
        yield from ((low + high) / 2, low)
    elif free:
        yield from (limit for limit in (low, high) if limit is not None)
