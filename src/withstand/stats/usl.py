"""The universal scalability law: how throughput grows with concurrency, and why it stops. Pure.

    X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

lambda is the throughput of one, sigma the share of the work that only one can do at a time
(contention), kappa the cost of every pair having to agree (coherence). With kappa above 0 the
throughput has a peak at N* = sqrt((1 - sigma) / kappa) (Gunther, Guerrilla Capacity Planning,
2007, chapter 4).

Fitted by least squares on log X (the noise of a throughput is a share of it) with Gauss-Newton
steps, damped (Levenberg 1944; Marquardt 1963), from the start that Gunther's linear form gives:
N / X is linear in 1 / lambda, sigma / lambda and kappa / lambda. Intervals are those of the
linearisation, with Student's t and three degrees of freedom spent.

A curve that flattens looks much like the left flank of a peak. So N* is told only where throughput
was seen to fall: see `Scalability.peak_users`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from withstand.stats.distributions import student_t_quantile

_PARAMETERS: Final = 3
LEAST_LEVELS: Final = _PARAMETERS + 1
_CONFIDENCE: Final = 0.95
# From simulations (benchmarks/statistics/scalability.py): without the seen fall a plain queue,
# which has no peak, is given one in up to every run; with it, in at most 2 of 100.
_LEAST_FALL: Final = 0.05
_FALL_IN_NOISE: Final = 2.5 * math.sqrt(2)  # of the difference of two points
_FARTHEST: Final = 1.5
_MOST_STEPS: Final = 200
_ENOUGH: Final = 1e-14

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What a number of users reached, once or several times over."""

    users: int
    per_s: tuple[float, ...]

    @property
    def mean_per_s(self) -> float:
        """The mean of the times over."""
        return math.fsum(self.per_s) / len(self.per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalability:
    """The law that fits best.

    `peak_users` is None where throughput was not seen to fall; `withheld` then says so. `scatter`
    is the standard deviation of the points about the law, `noise` that of a point by its
    repetitions, both as shares; a scatter well above the noise says that the law does not fit.
    """

    one_per_s: float
    sigma: Estimate
    kappa: Estimate
    peak_users: float | None
    withheld: str | None
    scatter: float
    noise: float | None

    def throughput_per_s(self, users: float) -> float:
        """What the law says of a number of users."""
        return math.exp(
            _log_law((math.log(self.one_per_s), self.sigma.value, self.kappa.value), users)
        )


def scalability(points: Sequence[Throughput]) -> Scalability | None:
    """The law of a sweep; None with fewer than four numbers of users that got anything done."""
    levels = sorted((each for each in points if each.mean_per_s > 0), key=lambda each: each.users)
    if len(levels) < LEAST_LEVELS:
        return None
    users = [float(level.users) for level in levels]
    logs = [math.log(level.mean_per_s) for level in levels]
    theta = _fitted(users, logs)
    freedom = len(levels) - _PARAMETERS
    scatter = math.sqrt(_square(theta, users, logs) / freedom)
    reach = student_t_quantile((1 + _CONFIDENCE) / 2, freedom) * scatter
    inverse = _inverse(_normal(theta, users))
    sigma, kappa = (
        Estimate(
            value=theta[at],
            low=theta[at] - reach * math.sqrt(max(inverse[at][at], 0.0)),
            high=theta[at] + reach * math.sqrt(max(inverse[at][at], 0.0)),
        )
        for at in (1, 2)
    )
    noise = _noise(levels)
    peak = math.sqrt((1 - sigma.value) / kappa.value) if kappa.value > 0 else math.inf
    withheld = _withheld(levels, noise, kappa, peak)
    return Scalability(
        one_per_s=math.exp(theta[0]),
        sigma=sigma,
        kappa=kappa,
        peak_users=None if withheld else peak,
        withheld=withheld,
        scatter=scatter,
        noise=noise,
    )


def _withheld(
    levels: Sequence[Throughput], noise: float | None, kappa: Estimate, peak: float
) -> str | None:
    """Why no peak can be told; None when it can."""
    largest = levels[-1]
    best = max(level.mean_per_s for level in levels)
    unseen = f"throughput was not seen to fall up to {largest.users:,} users"
    if noise is None:
        return "without repetitions a fall cannot be told from noise"
    fall = math.log(best / largest.mean_per_s)
    if fall <= max(_LEAST_FALL, _FALL_IN_NOISE * noise):
        return unseen
    if kappa.low <= 0 or largest.users < peak / _FARTHEST:
        return f"throughput fell, but where it peaks cannot be told from {len(levels)} points"
    return None


def _noise(levels: Sequence[Throughput]) -> float | None:
    """The standard deviation of a level's mean as a share, pooled; None without repetitions."""
    square, freedom = 0.0, 0
    for level in levels:
        logs = [math.log(rate) for rate in level.per_s if rate > 0]
        if len(logs) > 1:
            mean = math.fsum(logs) / len(logs)
            square += math.fsum((value - mean) ** 2 for value in logs) / len(logs)
            freedom += len(logs) - 1
    repeated = [len(level.per_s) for level in levels if len(level.per_s) > 1]
    if not freedom:
        return None
    # Each level gave (sum of squares) / n; over its n - 1 degrees of freedom that is the
    # variance of the mean of n.
    return math.sqrt(square / freedom) if repeated else None


def _fitted(users: Sequence[float], logs: Sequence[float]) -> Vector:
    """The least squares, with sigma and kappa between 0 and 1."""
    theta = _started(users, logs)
    square = _square(theta, users, logs)
    damping = 1e-3
    for _ in range(_MOST_STEPS):
        normal = _normal(theta, users)
        gradient = _gradient(theta, users, logs)
        damped = tuple(
            tuple(
                value * (1 + damping) if row == column else value
                for column, value in enumerate(values)
            )
            for row, values in enumerate(normal)
        )
        inverse = _inverse(damped)
        moved = [
            value + math.fsum(inverse[row][column] * gradient[column] for column in range(3))
            for row, value in enumerate(theta)
        ]
        candidate = (moved[0], _clamped(moved[1]), _clamped(moved[2]))
        reached = _square(candidate, users, logs)
        if reached < square:
            gained = square - reached
            theta, square, damping = candidate, reached, damping / 3
            if gained <= _ENOUGH * (1 + square):
                break
        else:
            damping *= 4
            if damping > 1e12:
                break
    return theta


def _started(users: Sequence[float], logs: Sequence[float]) -> Vector:
    """Gunther's linear form, its points weighted so that their relative errors count alike."""
    rows = []
    for number, log in zip(users, logs, strict=True):
        weight = math.exp(log) / number
        rows.append((weight, weight * (number - 1), weight * number * (number - 1)))
    normal = tuple(
        tuple(math.fsum(row[i] * row[j] for row in rows) for j in range(3)) for i in range(3)
    )
    inverse = _inverse(normal)
    sides = [math.fsum(row[i] for row in rows) for i in range(3)]
    a, b, c = (math.fsum(inverse[i][j] * sides[j] for j in range(3)) for i in range(3))
    if a <= 0:
        return math.log(math.exp(logs[0]) / users[0]), 0.0, 0.0
    return -math.log(a), _clamped(b / a), _clamped(c / a)


def _log_law(theta: Vector, users: float) -> float:
    return (
        theta[0]
        + math.log(users)
        - math.log1p(theta[1] * (users - 1) + theta[2] * users * (users - 1))
    )


def _slopes(theta: Vector, users: float) -> Vector:
    below = 1 + theta[1] * (users - 1) + theta[2] * users * (users - 1)
    return 1.0, -(users - 1) / below, -users * (users - 1) / below


def _square(theta: Vector, users: Sequence[float], logs: Sequence[float]) -> float:
    return math.fsum(
        (log - _log_law(theta, number)) ** 2 for number, log in zip(users, logs, strict=True)
    )


def _gradient(theta: Vector, users: Sequence[float], logs: Sequence[float]) -> list[float]:
    residuals = [log - _log_law(theta, number) for number, log in zip(users, logs, strict=True)]
    slopes = [_slopes(theta, number) for number in users]
    return [
        math.fsum(slope[at] * residual for slope, residual in zip(slopes, residuals, strict=True))
        for at in range(3)
    ]


def _normal(theta: Vector, users: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    slopes = [_slopes(theta, number) for number in users]
    return tuple(
        tuple(math.fsum(slope[i] * slope[j] for slope in slopes) for j in range(3))
        for i in range(3)
    )


def _inverse(matrix: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Of a symmetric 3 x 3 matrix, scaled to a unit diagonal first: its entries span decades."""
    scale = [1 / math.sqrt(matrix[i][i]) if matrix[i][i] > 0 else 1.0 for i in range(3)]
    a, b, c = (matrix[0][i] * scale[0] * scale[i] for i in range(3))
    d, e = (matrix[1][i] * scale[1] * scale[i] for i in (1, 2))
    f = matrix[2][2] * scale[2] * scale[2]
    cofactors = (
        (d * f - e * e, c * e - b * f, b * e - c * d),
        (c * e - b * f, a * f - c * c, b * c - a * e),
        (b * e - c * d, b * c - a * e, a * d - b * b),
    )
    determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2]
    if abs(determinant) < 1e-300:
        determinant = 1e-300
    return tuple(
        tuple(cofactors[i][j] / determinant * scale[i] * scale[j] for j in range(3))
        for i in range(3)
    )


def _clamped(value: float) -> float:
    return min(max(value, 0.0), 1.0)
