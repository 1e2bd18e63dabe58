"""What independent samples say of a limit together. Pure.

Each sample ended by a rule of its own, which is a stopping time; laid end to end they are one
longer sample whose mixture e-process is still a martingale, so Ville's inequality bounds the errors
of the whole by the same `ALPHA` and `BETA`, whatever the order (Howard, Ramdas, McAuliffe & Sekhon
2021). For each alternative of the mixture the e-values multiply: the logarithms add. That is more
powerful than multiplying the mixtures, which would pay for the choice of the alternative each time.

The bounds are those of samples with one and the same share of exceedances; where the shares differ,
the verdict is about the share of all values together.
"""

from collections.abc import Sequence

from withstand.stats.e_value import surely_above, surely_below
from withstand.stats.sequential import Decision, QuantileSample


def pooled(samples: Sequence[QuantileSample]) -> Decision:
    """Of samples on the same limit and quantile, each deflated by its own design effect.

    A breach has to be there without the sample that shows it most, as one sample alone may be one
    burst.
    """
    held = [sample for sample in samples if sample.count]
    if _breached(held):
        worst = max(held, key=lambda sample: sample.exceeding - sample.count * sample.tail)
        rest = [sample for sample in held if sample is not worst]
        return Decision.BREACHED if _breached(rest) else Decision.INCONCLUSIVE
    return Decision.MET if _met(held) else Decision.INCONCLUSIVE


def design_effect(samples: Sequence[QuantileSample]) -> float:
    """How many values of all samples are worth one independent one."""
    count = sum(sample.count for sample in samples)
    worth = sum(sample.count / sample.design_effect for sample in samples if sample.count)
    return count / worth if count else 1.0


def _breached(samples: Sequence[QuantileSample]) -> bool:
    if not samples:
        return False
    return all(surely_above(n, k, samples[0].tail) for n, k in _counts(samples))


def _met(samples: Sequence[QuantileSample]) -> bool:
    if not samples:
        return False
    return all(surely_below(n, k, samples[0].tail) for n, k in _counts(samples))


def _counts(samples: Sequence[QuantileSample]) -> list[tuple[float, float]]:
    """Values and exceedances, as counted and deflated: both have to say the same."""
    effects = [sample.design_effect for sample in samples]
    deflated = (
        sum(sample.count / effect for sample, effect in zip(samples, effects, strict=True)),
        sum(sample.exceeding / effect for sample, effect in zip(samples, effects, strict=True)),
    )
    counted = (
        float(sum(sample.count for sample in samples)),
        float(sum(sample.exceeding for sample in samples)),
    )
    return [counted, deflated]
