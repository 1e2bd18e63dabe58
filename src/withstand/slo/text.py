"""Objectives as people write them, in Withstand's own form and in k6's. Pure."""

import re
from collections.abc import Callable
from typing import Final

from withstand.errors import UsageError
from withstand.slo.objective import WHOLE_RUN, Indicator, Objective
from withstand.units import parse_duration_ns, parse_rate_per_s, parse_size_bytes

ACCEPTED_FORMS: Final = (
    "p95<200ms, p99.9<=1s, p(95)<200 (milliseconds), avg<100ms, max<2s, errors<0.1%, "
    "rps>500, memory_growth<32MB; over every 10 seconds instead of the whole run: "
    "p99<300ms over 10s"
)

_NS_PER_S: Final = 1_000_000_000
_SPELLINGS: Final = {
    "avg": Indicator.AVERAGE,
    "mean": Indicator.AVERAGE,
    "max": Indicator.MAXIMUM,
    "errors": Indicator.ERRORS,
    "error_rate": Indicator.ERRORS,
    "rate": Indicator.ERRORS,  # k6: http_req_failed has rate<0.01
    "rps": Indicator.RATE,
    "throughput": Indicator.RATE,
    "memory_growth": Indicator.MEMORY_GROWTH,
}
_MEDIAN: Final = frozenset({"med", "median"})
_NAME: Final = re.compile(r"\s*(?P<name>[A-Za-z_]+(?:\s*\(\s*[^()]*\)|[0-9.]*))\s*")
_SIGN: Final = re.compile(r"<=|>=|==|<|>|=")
_OVER: Final = re.compile(r"\s+over\b\s*", re.I)
_QUANTILE: Final = re.compile(r"p\s*\(?\s*(?P<percent>[0-9]+(?:\.[0-9]+)?)\s*\)?", re.I)


def parse_objective(text: str, *, operation: str = WHOLE_RUN) -> Objective:
    """The objective of `p95<200ms`, `errors<0.1%`, `rps>500`, `p99<300ms over 10s` and their kin.

    A bare number counts milliseconds for a latency, a share for errors (0.01 is 1 %), bytes for
    memory. A limit may be reached: `<` and `<=` mean the same, and so does `=`, which serves
    `errors=0`. Raises UsageError that points at the character and lists the accepted forms.
    """
    name = _NAME.match(text)
    if name is None:
        raise _unreadable(
            text, len(text) - len(text.lstrip()), "an indicator such as p95 or errors"
        )
    sign = _SIGN.match(text, name.end())
    if sign is None:
        raise _unreadable(text, name.end(), "< or > after the indicator")
    indicator, quantile = _indicator(text, name)
    floor = indicator is Indicator.RATE
    if sign[0].startswith("<" if floor else ">"):
        wanted = "> (a rate is promised at least)" if floor else "< (this is promised at most)"
        raise _unreadable(text, sign.start(), wanted)
    over = _OVER.search(text, sign.end())
    value = text[sign.end() : over.start() if over else len(text)]
    at = sign.end() + len(value) - len(value.lstrip())
    read, wanted = _READERS[indicator]
    try:
        limit = read(value.strip())
    except UsageError:
        raise _unreadable(text, at, wanted) from None
    if sign[0] == "<" and limit == 0:
        raise _unreadable(text, sign.start(), "= before 0, as nothing is below it")
    return Objective(
        indicator=indicator,
        limit=limit,
        operation=operation,
        quantile=quantile,
        over_s=None if over is None else _over_s(text, over, indicator),
    )


def parse_named_objective(text: str) -> Objective:
    """The objective of a text that may name its operation, `GET /users: p95<200ms`. Raises
    UsageError.
    """
    operation, colon, rest = text.rpartition(": ")
    return parse_objective(rest, operation=operation.strip()) if colon else parse_objective(text)


def _over_s(text: str, over: "re.Match[str]", indicator: Indicator) -> int:
    if indicator is Indicator.MEMORY_GROWTH:
        start = over.end() - len(over[0].lstrip())
        raise _unreadable(text, start, "nothing more: memory grows over a whole run, not a stretch")
    try:
        over_ns = parse_duration_ns(text[over.end() :], bare_unit="s")
    except UsageError:
        over_ns = 0
    if over_ns == 0 or over_ns % _NS_PER_S:
        raise _unreadable(text, over.end(), "whole seconds such as 10s or 1m, as seconds are kept")
    return over_ns // _NS_PER_S


def _indicator(text: str, name: "re.Match[str]") -> tuple[Indicator, float | None]:
    spelling = name["name"]
    percentile = _QUANTILE.fullmatch(spelling)
    if percentile is not None:
        percent = float(percentile["percent"])
        if percent == 100:
            return Indicator.MAXIMUM, None
        if not 0 < percent < 100:
            raise _unreadable(text, name.start("name") + 1, "a percentile above 0 and up to 100")
        return Indicator.QUANTILE, round(percent / 100, 12)
    if spelling.lower() in _MEDIAN:
        return Indicator.QUANTILE, 0.5
    known = _SPELLINGS.get(spelling.lower())
    if known is None:
        raise _unreadable(text, name.start("name"), "an indicator such as p95 or errors")
    return known, None


def _share(text: str) -> float:
    percent = text.endswith("%")
    try:
        share = float(text.removesuffix("%").strip()) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise UsageError(f"{text!r} is no share")
    return share


_READERS: Final[dict[Indicator, tuple[Callable[[str], float], str]]] = {
    **dict.fromkeys(
        (Indicator.QUANTILE, Indicator.AVERAGE, Indicator.MAXIMUM),
        (
            lambda value: parse_duration_ns(value, bare_unit="ms"),
            "a duration such as 200ms or 1.5s (a bare number counts milliseconds)",
        ),
    ),
    Indicator.ERRORS: (_share, "a share below 100 %, such as 0.1% or 0.001"),
    Indicator.RATE: (parse_rate_per_s, "a rate above zero, such as 500 or 500/s"),
    Indicator.MEMORY_GROWTH: (parse_size_bytes, "a size such as 32MB"),
}


def _unreadable(text: str, at: int, expected: str) -> UsageError:
    return UsageError(
        f"the objective cannot be read: at character {at + 1} it needs {expected}\n"
        f"    {text}\n    {' ' * at}^",
        hint=f"accepted are {ACCEPTED_FORMS}",
    )
