"""The objectives that the marker `performance` carries."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from withstand.errors import UsageError
from withstand.units import parse_duration_ns

QUANTILES: dict[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_ACCEPTED = "p50, p95, p99 (each also as p50_ms, p95_ms, p99_ms) and max_error_rate"
_EXAMPLE = 'write it as @pytest.mark.performance(p95="200ms", max_error_rate="1%")'


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Limits of one test: quantile name → milliseconds, and the share of calls that may fail."""

    limits_ms: Mapping[str, float]
    max_error_rate: float | None = None

    def __bool__(self) -> bool:
        return bool(self.limits_ms) or self.max_error_rate is not None


def parse_objectives(arguments: Mapping[str, object]) -> Objectives:
    """The objectives of a marker's keywords.

    Raises UsageError for an unknown keyword or an impossible value: a keyword that is passed over
    is a gate that never closes.
    """
    limits_ms: dict[str, float] = {}
    max_error_rate: float | None = None
    for keyword, value in arguments.items():
        quantile = keyword.removesuffix("_ms")
        if keyword == "max_error_rate":
            max_error_rate = _share(value)
        elif quantile in QUANTILES:
            if quantile in limits_ms:
                raise UsageError(
                    f"performance has {quantile} twice, as {quantile} and as {quantile}_ms",
                    hint="keep one of them",
                )
            limits_ms[quantile] = _milliseconds(keyword, value)
        else:
            raise UsageError(
                f"performance knows no {keyword!r}; it accepts {_ACCEPTED}", hint=_EXAMPLE
            )
    return Objectives(limits_ms=limits_ms, max_error_rate=max_error_rate)


def _milliseconds(keyword: str, value: object) -> float:
    if isinstance(value, str) and not keyword.endswith("_ms"):
        try:
            limit_ms = parse_duration_ns(value, bare_unit="ms") / 1_000_000
        except UsageError as error:
            raise UsageError(f"performance({keyword}=…): {error.message}", hint=_EXAMPLE) from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        limit_ms = float(value)
    else:
        raise UsageError(
            f"performance({keyword}={value!r}) is no number of milliseconds", hint=_EXAMPLE
        )
    if not 0 < limit_ms < math.inf:
        raise UsageError(
            f"performance({keyword}={value!r}) must be more than 0 ms and finite", hint=_EXAMPLE
        )
    return limit_ms


def _share(value: object) -> float:
    share: float | None = None
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            share = float(value.strip().removesuffix("%")) / 100
        except ValueError:
            share = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if share is None or not 0 <= share < 1:
        raise UsageError(
            f"performance(max_error_rate={value!r}) must be a share from 0 to below 1, "
            'such as 0.01 or "1%"',
            hint=_EXAMPLE,
        )
    return share
