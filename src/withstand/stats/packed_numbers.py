"""Numbers from 0 up as a short text: base64 of deflated variable-length integers. Pure."""

import base64
import zlib
from collections.abc import Iterable
from typing import Final

_MAX_UNPACKED_BYTES: Final = 1 << 20
_MOST_BITS: Final = 126


def packed(numbers: Iterable[int]) -> str:
    """A text that `unpacked` reads."""
    return base64.b64encode(zlib.compress(_varints(numbers), 9)).decode("ascii")


def unpacked(text: str, *, what: str) -> list[int]:
    """The numbers of a text; `what` it should hold is for the message of the ValueError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data, _MAX_UNPACKED_BYTES)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"the text holds no {what}: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"the {what} is cut short or too long")
    return _numbers(raw, what)


def _varints(numbers: Iterable[int]) -> bytes:
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def _numbers(data: bytes, what: str) -> list[int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            if shift > _MOST_BITS:
                raise ValueError(f"the {what} holds a number without end")
        else:
            numbers.append(number)
            number = shift = 0
    if shift:
        raise ValueError(f"the {what} ends within a number")
    return numbers
