"""What a long run says of a server that ought to stay as it is: the verdicts of a soak test. Pure.

They are about the whole run and are computed from it, like those on objectives. What is asked is
not whether something moved but whether it moved by more than is tolerated: see
`withstand.stats.leak` for memory and `withstand.stats.drift` for the rest.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.measurement import LoadMeasurement, ServerSample
from withstand.load.window import Window
from withstand.slo.growth_text import (
    descriptors_text,
    errors_text,
    latency_text,
    memory_text,
    restarts_text,
)
from withstand.stats.drift import (
    LEAST_WINDOWS,
    WARM_UP_SHARE,
    WINDOWS,
    Movement,
    count_growth,
    level_drift,
    parts,
    share_drift,
)
from withstand.stats.histogram import merged
from withstand.stats.leak import Growth, LeakRule, leak

_QUANTILES: Final = (0.5, 0.95)
# A start that moves by less is the clock that was set.
_CLOCK_STEP_S: Final = 1.0


class Quantity(StrEnum):
    """What is watched over a soak test."""

    MEMORY = "memory"
    DESCRIPTORS = "descriptors"
    THREADS = "threads"
    P50 = "p50"
    P95 = "p95"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakRules:
    """What a soak test is held against.

    Memory may grow over the run by `memory_tolerance_bytes`, or by `memory_tolerance_share` of
    what the server uses if that is more; latency by `latency_tolerance_share`. `window_s` is the
    shortest window of memory: longer than the collector's cycle.
    """

    memory_tolerance_bytes: int = 8_000_000
    memory_tolerance_share: float = 0.05
    latency_tolerance_share: float = 0.10
    window_s: float = 40.0

    @property
    def leak(self) -> LeakRule:
        """The rule for memory, in bytes."""
        return LeakRule(
            tolerance=self.memory_tolerance_bytes,
            tolerance_share=self.memory_tolerance_share,
            window_s=self.window_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftVerdict:
    """What is said of one quantity. `reason` is one sentence; `growth` is that of the memory."""

    quantity: Quantity
    movement: Movement
    reason: str
    growth: Growth | None = None


def judge_soak(rules: SoakRules, run: LoadMeasurement) -> tuple[DriftVerdict, ...]:
    """One verdict for each quantity; counts that the probe did not tell are left out."""
    restarts, samples = _since_restart(run.server_samples)
    return (
        *(
            replace(verdict, reason=f"{verdict.reason}{restarts_text(restarts)}")
            for verdict in (_memory(rules, run, samples), *_counts(samples))
        ),
        *_latencies(rules, run),
        _errors(run),
    )


def _since_restart(samples: Sequence[ServerSample]) -> tuple[int, Sequence[ServerSample]]:
    """How often the server started again, as far as it says so, and the samples after the last:
    a leak that ends in a crash again and again would look like a sawtooth."""
    starts = [
        index
        for index, (before, after) in enumerate(pairwise(samples), start=1)
        if before.started_at is not None
        and after.started_at is not None
        and after.started_at - before.started_at > _CLOCK_STEP_S
    ]
    return len(starts), samples[starts[-1] if starts else 0 :]


def _memory(
    rules: SoakRules, run: LoadMeasurement, samples: Sequence[ServerSample]
) -> DriftVerdict:
    read = [(each.at_s, float(each.rss_bytes)) for each in samples if each.rss_bytes is not None]
    growth = leak([at_s for at_s, _ in read], [level for _, level in read], rules.leak)
    requests = sum(operation.requests for operation in run.operations.values())
    rate_per_s = requests / run.duration_s if run.duration_s > 0 else 0.0
    return DriftVerdict(
        quantity=Quantity.MEMORY,
        movement=growth.movement if growth is not None else Movement.UNDECIDED,
        reason=memory_text(growth, samples=len(read), rate_per_s=rate_per_s),
        growth=growth,
    )


def _counts(samples: Sequence[ServerSample]) -> Iterator[DriftVerdict]:
    for quantity in (Quantity.DESCRIPTORS, Quantity.THREADS):
        name = quantity.value
        read = [getattr(each, name) for each in samples]
        counts = [float(count) for count in read if count is not None]
        if not counts:
            continue
        steady = counts[int(len(counts) * WARM_UP_SHARE) :]
        windows = min(WINDOWS, len(steady) // 3)
        found = None
        if windows >= LEAST_WINDOWS:
            found = count_growth([min(part) for part in parts(steady, windows)])
        yield DriftVerdict(
            quantity=quantity,
            movement=found.movement if found is not None else Movement.UNDECIDED,
            reason=descriptors_text(name, found, samples=len(counts)),
        )


def _latencies(rules: SoakRules, run: LoadMeasurement) -> Iterator[DriftVerdict]:
    tolerance = math.log1p(rules.latency_tolerance_share)
    times = [merged(window.response_time for window in windows) for windows in _steady_windows(run)]
    for quantity, q in zip((Quantity.P50, Quantity.P95), _QUANTILES, strict=True):
        levels = [value for each in times if (value := each.quantile(q)) is not None]
        found = None
        if len(levels) >= LEAST_WINDOWS:
            found = level_drift([math.log(max(value, 1)) for value in levels], tolerance=tolerance)
        movement = found.movement if found is not None else Movement.UNDECIDED
        # Its own lateness can only make the latency look as if it grew.
        own = run.generator.saturated or run.generator.lagging
        if movement is Movement.GROWS and own is not None:
            movement = Movement.UNDECIDED
        else:
            own = None
        yield DriftVerdict(
            quantity=quantity,
            movement=movement,
            reason=latency_text(
                quantity.value,
                found,
                windows=len(levels),
                tolerance_share=rules.latency_tolerance_share,
                generator=own,
            ),
        )


def _errors(run: LoadMeasurement) -> DriftVerdict:
    windows = list(_steady_windows(run))
    found = None
    if len(windows) >= LEAST_WINDOWS:
        found = share_drift(
            [sum(each.errors for each in same) for same in windows],
            [sum(each.requests for each in same) for same in windows],
        )
    movement = found.movement if found is not None else Movement.UNDECIDED
    exhausted = any(
        operation.failures.get(FailureKind.EXHAUSTED) for operation in run.operations.values()
    )
    if exhausted and movement is Movement.GROWS:
        movement = Movement.UNDECIDED
    return DriftVerdict(
        quantity=Quantity.ERRORS,
        movement=movement,
        reason=errors_text(found, windows=len(windows), exhausted=exhausted),
    )


def _steady_windows(run: LoadMeasurement) -> Iterator[Sequence[Window]]:
    """The windows of all operations after the warm-up, joined to at most WINDOWS stretches."""
    begins_s = run.duration_s * WARM_UP_SHARE
    seconds: dict[int, list[Window]] = {}
    for operation in run.operations.values():
        for window in operation.windows:
            if window.second >= begins_s:
                seconds.setdefault(window.second, []).append(window)
    ordered = [seconds[second] for second in sorted(seconds)]
    for part in parts(ordered, min(WINDOWS, len(ordered))):
        yield [window for same in part for window in same]
