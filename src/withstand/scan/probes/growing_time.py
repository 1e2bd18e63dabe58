"""What a text that almost fits takes longer than a harmless one, and whether that grows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from withstand.client.exchange import Exchange
from withstand.scan.probes.stalling import took_s

LEAST_S: Final = 0.5
ENOUGH_S: Final = 2.0  # two letters more would take some eight seconds
_FEW, _SEVERAL = 2, 3  # lengths that tell, at least: where the longest takes that long, or less
_LEAST_GROWTH: Final = 20.0  # from the first length to the last; 2 to the 6th would be 64
_LEAST_STEP: Final = 1.8  # from one length to the next, two letters on; at least 4 in theory
_FLAT_S: Final = 0.01
_CHANCE_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text of so many letters that almost fits, beside a harmless one."""

    length: int
    slow: Exchange
    fast: Exchange

    @property
    def more_s(self) -> float:
        """By how much it takes longer: what the way there and the rest of the work take is no
        matter of the expression, seconds."""
        return max(0.0, took_s(self.slow) - took_s(self.fast))

    @property
    def tells(self) -> bool:
        """Whether that is more than chance."""
        return is_slow(self.slow, took_s(self.fast))

    def follows(self, shorter: "Pair") -> bool:
        """Whether it grew since a shorter one, if that was slow at all."""
        return not shorter.tells or self.more_s >= _LEAST_STEP * shorter.more_s

    def is_grown_from(self, shortest: "Pair") -> bool:
        """Whether it grew enough on the whole."""
        return self.more_s >= _LEAST_GROWTH * shortest.more_s


def is_slow(exchange: Exchange, base_s: float) -> bool:
    """Whether it takes longer than by chance, which is more where everything takes long."""
    by_chance_s = min(2 * base_s, max(_CHANCE_S, base_s / 4)) + _FLAT_S
    return took_s(exchange) > base_s + by_chance_s


def is_proof(pairs: Sequence[Pair]) -> bool:
    """Whether they grow far enough, over more lengths than a coincidence would have."""
    longest = pairs[-1]
    enough = _FEW if longest.more_s >= ENOUGH_S else _SEVERAL
    return (
        longest.more_s >= LEAST_S
        and longest.is_grown_from(pairs[0])
        and all(longer.follows(shorter) for shorter, longer in pairwise(pairs))
        and sum(pair.tells for pair in pairs) >= enough
    )
