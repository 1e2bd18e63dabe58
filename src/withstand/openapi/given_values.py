"""Values that the user gives for inputs, because no document says them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from withstand.openapi.naming import canonical
from withstand.openapi.operation import Operation
from withstand.openapi.slot import Slot

_OPERATION = re.compile(r"^[A-Z*]+ [/*]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenValues:
    """Name of an input → its value everywhere; operation → its inputs and their values.

    `{"currency": "EUR", "POST /orders": {"customer.email": "a@example.com"}}`. An operation may
    have `*` in it. What is said of an operation wins over what is said of a name, and among
    operations the last one.
    """

    table: Mapping[str, object] = field(default_factory=dict)

    def values(self, operation: Operation, slots: Sequence[Slot]) -> dict[Slot, object]:
        """The values for an operation's inputs."""
        found: dict[Slot, object] = {}
        for key, value in self.table.items():
            if not is_operation(key):
                found.update({slot: value for slot in slots if _is_called(slot, key)})
        for key, value in self.table.items():
            if is_operation(key) and isinstance(value, Mapping) and _fits(key, operation):
                for name, each in value.items():
                    found.update({slot: each for slot in slots if _is_called(slot, str(name))})
        return found


def is_operation(key: str) -> bool:
    """Whether a key of the table names operations, and no input."""
    return _OPERATION.match(key) is not None


def _fits(pattern: str, operation: Operation) -> bool:
    method, _, path = pattern.partition(" ")
    return fnmatchcase(operation.method, method) and (
        path == operation.path or fnmatchcase(operation.path, path.replace("[", "[[]"))
    )


def _is_called(slot: Slot, name: str) -> bool:
    """Whether a name means the input: whole, behind its location (`body.email`), or its last."""
    if name in {slot.name, f"{slot.location}.{slot.name}"}:
        return True
    last = slot.name.rsplit(".", 1)[-1]
    return "." not in name and canonical(name) == canonical(last)
