"""A flaw that can be planted in the clinic, and the check that must find it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One precaution that the clinic can leave out.

    `seen_by` names the check that must find it, `seen_on` the operations on which it does so:
    one finding each, or a single one of the whole API where there are none.
    """

    name: str
    title: str
    seen_by: str
    seen_on: tuple[str, ...] = ()


def chosen(names: Iterable[str], flaws: Iterable[Flaw]) -> frozenset[str]:
    """The names, each of which must be that of a flaw. Raises ValueError."""
    wanted = frozenset(name.strip() for name in names) - {""}
    known = {flaw.name for flaw in flaws}
    if unknown := sorted(wanted - known):
        raise ValueError(
            f"there is no flaw named {', '.join(unknown)}; choose from {', '.join(sorted(known))}"
        )
    return wanted
