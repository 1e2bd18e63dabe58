"""Further attempts at a baseline, with another value for what the last answer objected to."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from withstand.client.soft_errors import says_no
from withstand.openapi.naming import KEY_WORDS, is_identifier, words
from withstand.openapi.operation import Operation
from withstand.openapi.plausible_text import Marks, text_for
from withstand.openapi.request_builder import Slot
from withstand.openapi.spoken import thing_of
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.repair import UNIQUE, repaired

_REPAIRABLE: Final = frozenset({400, 409, 415, 422})
_REPAIRS: Final = 2  # for each body
_MOST_REPAIRS: Final = 4  # for each operation
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{1,30}")
"""What a choice looks like; a name, an address or a code of somebody's has more in it."""


def corrections(
    ground: Groundwork,
    operation: Operation,
    fixed: Mapping[Slot, object],
    tried: list[Attempt],
) -> Iterator[tuple[str, ...]]:
    """Asks for one attempt, and for further ones as long as the last answer says what to change."""
    yield ()
    for _ in range(_REPAIRS):
        if sum(bool(attempt.repaired) for attempt in tried) >= _MOST_REPAIRS or not tried:
            return
        changed = _settled(ground, operation, fixed, tried[-1])
        if not changed:
            return
        yield changed


def _settled(
    ground: Groundwork, operation: Operation, fixed: Mapping[Slot, object], last: Attempt
) -> tuple[str, ...]:
    """Other values for what the last answer objected to; the names of those inputs."""
    response = last.exchange.response if last.exchange is not None else None
    if response is None or last.built is None:
        return ()
    if (
        response.status not in _REPAIRABLE
        and response.accepted is not False
        and not says_no(response)
    ):
        return ()
    # Of a thing that has to exist another id may be somebody else's: those are never guessed.
    slots = [
        slot
        for slot in ground.builder.slots(operation)
        if slot.location != "path" and slot not in fixed and not is_identifier(slot.name)
    ]
    pool = ground.pools.get(last.identity or "")

    def known(slot: Slot) -> object | None:
        """The id of one of what the input is called after, as this identity was told it; for a
        choice the word that such a thing has there: `status`.
        """
        leaf = slot.name.rsplit(".", 1)[-1]
        if pool is None or words(leaf)[-1] in KEY_WORDS:
            return None
        if pool.knows(f"{leaf}_id"):
            return pool.find(f"{leaf}_id", path=operation.path, schema=slot.schema, own=False)
        about = thing_of(operation)
        seen = pool.find(leaf, path=operation.path, schema=slot.schema, about=about)
        return seen if isinstance(seen, str) and _WORD.fullmatch(seen) else None

    values = repaired(response, slots, last.built.values, ground.builder.nonce, known)
    ground.builder.settle(
        operation,
        {
            slot: partial(_new_text, slot) if value is UNIQUE else value
            for slot, value in values.items()
        },
    )
    return tuple(f"{slot.location} {slot.name}" for slot in values)


def _new_text(slot: Slot, marks: Marks) -> object:
    name = slot.name.rsplit(".", 1)[-1]
    return text_for(name, slot.schema, marks) or marks.token()
