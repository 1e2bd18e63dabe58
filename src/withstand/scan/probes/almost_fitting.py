"""Texts that almost fit an expression, and harmless ones beside them. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Texts of every length: what stands before the repeated letter, and by how many letters they
    are longer where those before it cannot be repeated.
    """

    usual: str
    before: str
    letter: str
    shift: int

    def almost(self, length: int) -> str:
        """So many letters in all: those before may be repeated by the expression as well."""
        return f"{self.before}{self.letter * (length - len(self.before))}!"

    def harmless(self, length: int) -> str:
        """A text of that length that no expression is busy with. Letters without an `@` keep one
        for addresses as busy as those that almost fit: there it is one that is refused at its first
        sign.
        """
        start = self.before + ("!" if "@" in self.usual else "")
        return start + self.letter * (length - len(start))


def all_series(usual: str) -> Iterator[Series]:
    """Letters in what stands before may be repeated as well, or not: first as if they were."""
    for before, letter in _pumps(usual):
        for shift in dict.fromkeys((0, len(before))):
            yield Series(usual=usual, before=before, letter=letter, shift=shift)


def _pumps(usual: str) -> Iterator[tuple[str, str]]:
    """What stands before the repeated letter, and the letter."""
    letter = "1" if re.fullmatch(r"[\d +().:-]+", usual) else "a"
    yield "", letter
    # Some expressions begin with something fixed: `SKU-`, `http://`.
    fixed = re.match(r".{0,7}[^0-9A-Za-z]", usual)
    if fixed is not None:
        yield fixed.group(), letter
    if "@" in usual:
        yield "a@", letter
