"""Durations, rates, sizes, shares and names as people write them, and most of them back."""

import math
import re
from collections.abc import Sequence
from typing import Final

from withstand.errors import UsageError

_NUMBER: Final = r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
_DURATION: Final = re.compile(_NUMBER + r"\s*(?P<unit>ns|us|µs|μs|ms|s|m|min|h|d)?$")
_NS_PER_UNIT: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "μs": 1_000,  # the Greek letter, which looks the same
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "min": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}
_SIZE: Final = re.compile(_NUMBER + r"\s*(?P<unit>B|kB|KB|MB|GB)?$")
_BYTES_PER_UNIT: Final = {"B": 1, "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_RATE: Final = re.compile(_NUMBER + r"\s*(?:/\s*(?P<unit>s|sec|m|min|h))?$")
# From here three digits of the smaller unit would read "1000".
_ROUNDS_UP: Final = 0.9995
_SECONDS_PER_UNIT: Final = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600}


def parse_duration_ns(text: str, *, bare_unit: str = "s") -> int:
    """Nanoseconds of `200ms`, `1.5s`, `2m`, `1h30m`; a bare number counts in `bare_unit`.

    Raises UsageError with the text and the accepted forms.
    """
    total_ns = 0.0
    rest = text.strip()
    parts = re.findall(r"[0-9]+(?:\.[0-9]+)?\s*(?:[a-zµμ]+)?", rest)
    if not parts or "".join(parts).replace(" ", "") != rest.replace(" ", ""):
        raise _bad("duration", text, "200ms, 1.5s, 2m or 1h30m")
    for part in parts:
        match = _DURATION.match(part.strip())
        if match is None or (match["unit"] is None and len(parts) > 1):
            raise _bad("duration", text, "200ms, 1.5s, 2m or 1h30m")
        total_ns += float(match["number"]) * _NS_PER_UNIT[match["unit"] or bare_unit]
    if math.isinf(total_ns):
        raise _bad("duration", text, "200ms, 1.5s, 2m or 1h30m")
    return round(total_ns)


def parse_size_bytes(text: str) -> int:
    """Bytes of `32MB`, `10kB`, `512` (powers of ten). Raises UsageError."""
    match = _SIZE.match(text.strip())
    if match is None or math.isinf(float(match["number"])):
        raise _bad("size", text, "512, 10kB, 32MB or 1GB")
    return round(float(match["number"]) * _BYTES_PER_UNIT[match["unit"] or "B"])


def parse_rate_per_s(text: str) -> float:
    """Requests per second of `200`, `200/s`, `100/m`. Raises UsageError."""
    match = _RATE.match(text.strip())
    if match is None or not 0 < float(match["number"]) < math.inf:
        raise _bad("rate", text, "200/s, 0.5/s or 100/m, above zero")
    return float(match["number"]) / _SECONDS_PER_UNIT[match["unit"] or "s"]


def format_duration_ns(value_ns: float) -> str:
    """Three significant digits in the unit that reads best: `850 µs`, `12.3 ms`, `1.20 s`."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if abs(value_ns) >= size * _ROUNDS_UP:
            return f"{_three_digits(value_ns / size)} {unit}"
    return f"{value_ns:.0f} ns"


def format_bytes(value_bytes: float) -> str:
    """Three significant digits in powers of ten: `512 B`, `12.3 kB`, `1.20 MB`."""
    for unit, size in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if abs(value_bytes) >= size * _ROUNDS_UP:
            return f"{_three_digits(value_bytes / size)} {unit}"
    return f"{value_bytes:.0f} B"


def format_share(share: float) -> str:
    """A share as a percentage of three significant digits: `0 %`, `0.12 %`, `37 %`, `1200 %`.

    What is not zero and not everything never reads so: `< 0.0001 %`, `> 99.9 %`.
    """
    percent = share * 100
    if 0 < abs(percent) < 0.0001:
        return "< 0.0001 %" if percent > 0 else "> -0.0001 %"
    if 99.95 <= percent < 100:
        return "> 99.9 %"
    return f"{percent:.0f} %" if abs(percent) >= 100 else f"{percent:.3g} %"


def format_count(number: float) -> str:
    """A whole number with thousands separated by commas: `12,345`."""
    return f"{number:,.0f}"


def _three_digits(value: float) -> str:
    size = abs(value)
    return f"{value:.0f}" if size >= 99.95 else f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def _bad(kind: str, text: str, examples: str) -> UsageError:
    return UsageError(f"{text!r} is no {kind}", hint=f"write it as {examples}")


def format_names(names: Sequence[str]) -> str:
    """Names as they stand in a sentence: `a`, `a and b`, `a, b and c`."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last
