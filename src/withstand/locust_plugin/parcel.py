"""A snapshot on its way from a worker to its master, inside a report of Locust's."""

import zlib
from typing import Any, Final

from withstand.errors import UsageError
from withstand.load.codec import measurement_text, read_measurement
from withstand.load.measurement import LoadMeasurement

_FORMAT: Final = 1
_QUICKLY: Final = 1
_MOST_BYTES: Final = 256_000_000  # unpacked: nobody can fill a master's memory with a few bytes


def wrapped(snapshot: LoadMeasurement, *, stopped: bool) -> dict[str, Any]:
    """The parcel: what msgpack can carry."""
    text = measurement_text(snapshot)
    return {
        "format": _FORMAT,
        "stopped": stopped,
        "snapshot": zlib.compress(text.encode(), _QUICKLY),
    }


def unwrapped(parcel: Any, *, source: str) -> tuple[LoadMeasurement, bool]:
    """The snapshot, and whether its worker's test is over. Raises UsageError."""
    if not isinstance(parcel, dict) or parcel.get("format") != _FORMAT:
        raise UsageError(
            f"{source} reports in another format", hint="run the same version everywhere"
        )
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(parcel["snapshot"], _MOST_BYTES).decode()
    except (zlib.error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"what {source} reports is damaged: {error}", hint="run the same version everywhere"
        ) from None
    return read_measurement(text, source=source), bool(parcel.get("stopped"))
