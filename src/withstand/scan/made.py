"""An object of the scan's own. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from withstand.client.exchange import Exchange
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built

MARK: Final = re.compile(r"ws[0-9a-f]{14,24}")
"""The nonce in a text that the scan made up, also where there was less room for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An object that an identity created for a check.

    `canaries` are texts in it that are found nowhere else; `identifier` is the value of the last
    path parameter of the operations that work on it; `places` the values of those before it, by
    the path up to each (`/orders/{}`).
    """

    by: Identity | None
    producer: Operation
    built: Built
    exchange: Exchange
    identifier: object
    canaries: tuple[str, ...]
    places: Mapping[str, object] = field(default_factory=dict)


def places_in(built: Built) -> frozenset[str]:
    """The values in a request's path: no ids of what it makes."""
    return frozenset(str(v) for slot, v in built.values.items() if slot.location == "path")
