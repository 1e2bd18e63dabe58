"""The shape of one entry under [security.races]."""

from typing import Any

import attrs

from withstand.scan.race import REQUESTS_AT_ONCE, Race
from withstand.settings.forms import LoginRequest, Number, Payload, TokenPath


def _doc(meaning: str) -> dict[str, Any]:
    return {"doc": meaning}


@attrs.frozen(kw_only=True)
class RaceTable:
    """What must hold when an operation is called several times at one instant."""

    at_most: int | None = attrs.field(
        default=None, metadata=_doc("How many of the requests may succeed.")
    )
    read: LoginRequest | None = attrs.field(
        default=None, metadata=_doc("Operation that reads a number back: GET /wallet.")
    )
    value: TokenPath | None = attrs.field(
        default=None, metadata=_doc("Where that number is in its answer: $.balance.")
    )
    least: Number | None = attrs.field(
        default=None, metadata=_doc("What the number must be at least.")
    )
    most: Number | None = attrs.field(
        default=None, metadata=_doc("What the number must be at most.")
    )
    requests: int = attrs.field(
        default=REQUESTS_AT_ONCE, metadata=_doc("How many requests are released at once.")
    )
    values: Payload | None = attrs.field(
        default=None,
        metadata=_doc("Inputs by name that are not to be made up: { amount = 60 }."),
    )
    identity: str | None = attrs.field(
        default=None, metadata=_doc("Who sends them; without it, whoever may use the operation.")
    )
    prepare: LoginRequest | None = attrs.field(
        default=None,
        metadata=_doc("Operation that makes what the requests are about, sent first."),
    )
    prepare_as: str | None = attrs.field(
        default=None, metadata=_doc("Who sends that one; without it, the same identity.")
    )

    def race(self) -> Race:
        """The entry as the scan takes it."""
        return Race(
            at_most=self.at_most,
            read=self.read,
            value=self.value,
            least=self.least,
            most=self.most,
            requests=self.requests,
            values=self.values or {},
            identity=self.identity,
            prepare=self.prepare,
            prepare_as=self.prepare_as,
        )
