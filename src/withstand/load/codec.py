"""Measurements as JSON, for another process or machine; strict when they are read. Pure.

Histograms are in their compact form. Whatever is of another kind than it should be, too much or
missing is refused.
"""

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TypeVar

import cattrs

from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram

T = TypeVar("T")


def measurement_text(measured: LoadMeasurement) -> str:
    """A measurement, or a snapshot of one, as JSON: for another process or machine."""
    return json.dumps(_measurements().unstructure(measured), allow_nan=False, separators=(",", ":"))


def read_measurement(text: str, *, source: str) -> LoadMeasurement:
    """The measurement that `measurement_text` wrote. Raises UsageError."""
    try:
        return _measurements().structure(json.loads(text), LoadMeasurement)
    except (ValueError, RecursionError, cattrs.BaseValidationError) as error:
        raise UsageError(
            f"what {source} measured cannot be read: {error}",
            hint="run the same version of Withstand everywhere",
        ) from None


@cache
def _measurements() -> cattrs.Converter:
    return new_converter()


def new_converter() -> cattrs.Converter:
    """A converter for whatever is made of numbers, texts, histograms and dataclasses."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Histogram, Histogram.to_compact)
    converter.register_structure_hook(Histogram, lambda value, _: _histogram(value))
    converter.register_unstructure_hook(Durations, Durations.to_compact)
    converter.register_structure_hook(
        Durations, lambda value, _: Durations.from_compact(only(str, value))
    )
    # Left to itself the converter would make 5 of "5" and "None" of null.
    converter.register_structure_hook(str, lambda value, _: only(str, value))
    converter.register_structure_hook(bool, lambda value, _: only(bool, value))
    converter.register_structure_hook(int, lambda value, _: _integer(value))
    converter.register_structure_hook(float, lambda value, _: _number(value))
    # The most specific class wins: without this a member would be read as its text.
    converter.register_structure_hook(StrEnum, lambda value, kind: kind(value))
    # JSON's keys are texts.
    converter.register_structure_hook_func(
        lambda kind: kind == Mapping[int, int], lambda value, _: _counts_by_status(value)
    )
    return converter


def _histogram(value: object) -> Histogram:
    return Histogram.from_compact(only(str, value))


def _counts_by_status(value: object) -> dict[int, int]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return {int(key): _integer(times) for key, times in value.items()}


def only(kind: type[T], value: object) -> T:
    """The value, if it is of that kind. Raises TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, not {value!r:.40}")
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, not {value!r:.40}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"expected a number, not {value!r:.40}")
    return float(value)
