"""Services whose share of slow requests is known, and when --abort-on-fail gives up on them.

Independent requests; bursts in which half or all of the requests are slow, of a given mean length
in seconds and so rare that the long-run share is the same; a share that wanders (AR(1) on its
logarithm). 100 requests a second for ten minutes.
"""

import math
import random
from collections.abc import Callable, Iterator
from itertools import islice

from withstand.slo import parse_objective
from withstand.slo.interim import look_at, surely_broken
from withstand.slo.stretch import Row

PER_S, SECONDS = 100, 600
Service = Callable[[random.Random, float], Iterator[float]]  # the share of each second


def steady(_: random.Random, share: float) -> Iterator[float]:
    while True:
        yield share


def bursts(length_s: float, height: float) -> Service:
    def service(draw: random.Random, share: float) -> Iterator[float]:
        on = share / height
        gap_s = length_s * (1 - on) / on
        burst = draw.random() < on
        while True:
            yield height if burst else 0.0
            if draw.random() < 1 / (length_s if burst else gap_s):
                burst = not burst

    return service


def wandering(correlation: float, spread: float) -> Service:
    def service(draw: random.Random, share: float) -> Iterator[float]:
        level = draw.gauss(0, spread)
        noise = spread * math.sqrt(1 - correlation**2)
        while True:
            yield min(share * math.exp(level - spread**2 / 2), 1.0)
            level = correlation * level + draw.gauss(0, noise)

    return service


SERVICES: dict[str, Service] = {
    "independent": steady,
    **{
        f"bursts of {length} s, {height:.0%} slow": bursts(length, height)
        for length in (1, 3, 5, 10, 30, 60)
        for height in (0.5, 1.0)
    },
    **{f"wandering, AR {r}": wandering(r, 0.5) for r in (0.5, 0.9, 0.98)},
}


def aborted_at(service: Service, share: float, text: str, seed: int) -> int | None:
    """The second at which a run is aborted; None when it is not."""
    objective = parse_objective(text)
    draw = random.Random(seed)
    rows: list[Row] = []
    for level in islice(service(draw, share), SECONDS):
        # The normal approximation, as a draw for each request takes minutes.
        noise = draw.gauss(0, math.sqrt(PER_S * level * (1 - level)))
        slow = min(max(round(PER_S * level + noise), 0), PER_S)
        rows.append(Row(requests=PER_S, bad=slow, proven=slow))
        look = look_at(len(rows))
        if look is not None and surely_broken(objective, rows, look=look, pending=0):
            return len(rows)
    return None
