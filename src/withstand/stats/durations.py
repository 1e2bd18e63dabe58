"""Durations one by one, in the order in which they began, compactly stored. Pure."""

from dataclasses import dataclass

from withstand.stats.packed_numbers import packed, unpacked


@dataclass(frozen=True, slots=True)
class Durations:
    """`values` in nanoseconds, 0 or more; None stands for one that came to no good end."""

    values: tuple[int | None, ...] = ()

    def to_compact(self) -> str:
        """A short text that `from_compact` reads."""
        # 0 is a duration too, so that of a failure is one below the least.
        return packed(0 if value is None else value + 1 for value in self.values)

    @classmethod
    def from_compact(cls, text: str) -> "Durations":
        """The durations of a compact text. Raises ValueError on anything else."""
        numbers = unpacked(text, what="durations")
        return cls(tuple(number - 1 if number else None for number in numbers))
