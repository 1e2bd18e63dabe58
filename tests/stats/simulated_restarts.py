"""Two versions that are restarted side by side, as their latencies would be.

ln latency = effect + environment (common to both) + instance (of one start of one version)
+ AR(1) noise + a slow tail. The environment drifts from block to block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log1p, sqrt
from random import Random
from statistics import fmean

from withstand.stats.regression import (
    ALPHA,
    MARGIN,
    Regression,
    quantile,
    slowdown,
)

_REQUEST_SD = 0.4
_REQUEST_PHI = 0.2
_TAIL_SHARE = 0.02
_DRIFT_SD = 0.02
_DRIFT_PHI = 0.8


@dataclass(frozen=True, kw_only=True)
class Design:
    """How much is measured, and how unequal what is measured is."""

    restarts: int = 10
    blocks: int = 4
    requests: int = 100
    environment_sd: float = 0.05
    instance_sd: float = 0.02
    instance_tails: bool = False  # t with 3 degrees of freedom in place of the normal


def log_latencies(count: int, level: float, random: Random) -> list[float]:
    """The logarithms of so many latencies in a row of one start."""
    gauss, uniform = random.gauss, random.random
    fresh = sqrt(1 - _REQUEST_PHI**2)
    noise, values = gauss(), []
    for _ in range(count):
        values.append(level + _REQUEST_SD * noise + (1.0 if uniform() < _TAIL_SHARE else 0.0))
        noise = _REQUEST_PHI * noise + fresh * gauss()
    return values


def log_ratios(effect: float, q: float, design: Design, random: Random) -> list[list[float]]:
    """Of each restart, those of its blocks; `effect` is by how much more B takes, as a share."""
    return [_of_a_restart(log1p(effect), q, design, random) for _ in range(design.restarts)]


def comparisons(
    effect: float, q: float, design: Design, *, runs: int, seed: int, margin: float = MARGIN
) -> Iterator[Regression]:
    """What the rule says of so many comparisons; by block where nothing is restarted."""
    random = Random(seed)
    for _ in range(runs):
        found = log_ratios(effect, q, design, random)
        units = [fmean(blocks) for blocks in found] if design.restarts > 1 else found[0]
        yield slowdown(units, margin=margin, alpha=ALPHA)


def _of_a_restart(effect: float, q: float, design: Design, random: Random) -> list[float]:
    instance_a, instance_b = _instance(design, random), _instance(design, random)
    environment = random.gauss(0, design.environment_sd)
    drift, found = random.gauss(), []
    for _ in range(design.blocks):
        level = environment + _DRIFT_SD * drift
        a = log_latencies(design.requests, level + instance_a, random)
        b = log_latencies(design.requests, level + instance_b + effect, random)
        # Quantiles commute with the logarithm, so the ratio is a difference here.
        found.append(quantile(b, q) - quantile(a, q))
        drift = _DRIFT_PHI * drift + sqrt(1 - _DRIFT_PHI**2) * random.gauss()
    return found


def _instance(design: Design, random: Random) -> float:
    if not design.instance_tails:
        return random.gauss(0, design.instance_sd)
    chi_square = sum(random.gauss() ** 2 for _ in range(3))
    return design.instance_sd * random.gauss() / sqrt(chi_square / 3) / sqrt(3)
