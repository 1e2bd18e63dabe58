"""The objectives that the marker `performance`, or a call of `latency`, states. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from withstand.errors import UsageError
from withstand.slo.objective import Indicator, Objective
from withstand.units import parse_duration_ns

MAX_ERROR_RATE: Final = "max_error_rate"
# p5, p50, p95; and from p90 further digits are decimals, as people write p99.9 as p999.
_QUANTILE: Final = re.compile(r"p(?P<digits>[1-9][0-9]?|9[0-9]{2,})")
_HIGHEST: Final = 0.999
_NS_PER_MS: Final = 1_000_000
_ACCEPTED: Final = "p50, p90, p95, p99, p999 (p95_ms and so on count milliseconds), max_error_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who states objectives: its name, and how they are written there."""

    name: str
    example: str


MARKER: Final = Asker(
    name="performance",
    example='write it as @pytest.mark.performance(p95="200ms", max_error_rate="1%")',
)
FIXTURE: Final = Asker(
    name="latency",
    example='write it as latency(call, p95="200ms", max_error_rate="1%")',
)


def parse_objectives(keywords: Mapping[str, object], asker: Asker = MARKER) -> dict[str, Objective]:
    """The objectives of keywords, by their names: `p95`, `errors`.

    Raises UsageError for an unknown keyword or an impossible value: a keyword that is passed over
    is a gate that never closes.
    """
    found: dict[str, Objective] = {}
    for keyword, value in keywords.items():
        if keyword == MAX_ERROR_RATE:
            objective = Objective(indicator=Indicator.ERRORS, limit=_share(value, asker))
        else:
            quantile = _quantile(keyword, asker)
            limit_ns = _milliseconds(keyword, value, asker) * _NS_PER_MS
            objective = Objective(indicator=Indicator.QUANTILE, limit=limit_ns, quantile=quantile)
        if objective.name in found:
            quantile_name = keyword.removesuffix("_ms")
            raise UsageError(
                f"{asker.name} has {objective.name} twice, as {quantile_name} and as "
                f"{quantile_name}_ms",
                hint="keep one of them",
            )
        found[objective.name] = objective
    return found


def _quantile(keyword: str, asker: Asker) -> float:
    match = _QUANTILE.fullmatch(keyword.removesuffix("_ms"))
    if match is None:
        raise UsageError(
            f"{asker.name} knows no {keyword!r}; it accepts {_ACCEPTED}", hint=asker.example
        )
    digits = match["digits"]
    quantile = round(float(f"{digits[:2]}.{digits[2:]}") / 100, 12)
    if quantile > _HIGHEST:
        raise UsageError(
            f"{asker.name} has {keyword}, which takes far more calls than a test can make; "
            "p999 (99.9 %) is the highest",
            hint=asker.example,
        )
    return quantile


def _milliseconds(keyword: str, value: object, asker: Asker) -> float:
    if isinstance(value, str) and not keyword.endswith("_ms"):
        try:
            limit_ms = parse_duration_ns(value, bare_unit="ms") / _NS_PER_MS
        except UsageError as error:
            raise UsageError(
                f"{asker.name}({keyword}=…): {error.message}", hint=asker.example
            ) from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        limit_ms = _float(value)
    else:
        raise UsageError(
            f"{asker.name}({keyword}={value!r}) is no number of milliseconds", hint=asker.example
        )
    if not 0 < limit_ms < math.inf:
        raise UsageError(
            f"{asker.name}({keyword}={value!r}) must be more than 0 ms and finite",
            hint=asker.example,
        )
    return limit_ms


def _share(value: object, asker: Asker) -> float:
    share: float | None = None
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            share = float(value.strip().removesuffix("%")) / 100
        except ValueError:
            share = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = _float(value)
    if share is None or not 0 <= share < 1:
        raise UsageError(
            f"{asker.name}(max_error_rate={value!r}) must be a share from 0 to below 1, "
            'such as 0.01 or "1%"',
            hint=asker.example,
        )
    return share


def _float(value: float) -> float:
    """A number as a float, infinite where it is a whole one that no float holds."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
