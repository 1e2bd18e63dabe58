"""Which part of a run is judged, and whether that part stands still. Pure.

The first seconds of a run hold full handshakes, empty caches and cold code. They are recorded and
shown, but verdicts leave them out: as long as the user says, and else the first window. That cut
is fixed before the run. One that looks at the values (the rule of MSER, say) may take a slow or a
failing first half for a warm-up and call the rest a success, so none is made here
(`docs/decisions/0012-a-fixed-warm-up.md`).

What no fixed cut can see is looked for in what is left: a quantile that still rises.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.recorder import window_width_s
from withstand.load.window import Window
from withstand.slo.objective import Objective
from withstand.stats.histogram import merged
from withstand.stats.quantile_bounds import LEAST_WINDOWS
from withstand.stats.warm_up import BATCHES, steadiness


def left_out_s(wanted_s: float | None, *, duration_s: float, width_s: int) -> int:
    """The seconds at the start of a run that are not judged, in whole windows.

    Without a wish it is one window, where enough are left to see how requests depend on each
    other; a shorter run needs all it has.
    """
    if wanted_s is not None:
        return math.ceil(round(wanted_s / width_s, 9)) * width_s
    return width_s if duration_s > LEAST_WINDOWS * width_s else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds per window, and at the start of the run that are not judged."""

    width_s: int
    warm_up_s: int


def timing(
    objectives: Sequence[Objective], *, duration_s: float, warm_up_s: float | None = None
) -> Timing:
    """How a run has to be recorded so that its objectives can be judged.

    Raises UsageError where the run is too short for that, or too long for its stretches of time.
    """
    lengths = {each.over_s: each for each in objectives if each.over_s is not None}
    width_s = window_width_s(duration_s, stretches_s=tuple(lengths))
    skipped_s = left_out_s(warm_up_s, duration_s=duration_s, width_s=width_s)
    if skipped_s >= duration_s:
        raise UsageError(
            f"a warm-up of {skipped_s} s leaves nothing of a run of {duration_s:g} s to judge",
            hint="make the run longer than its warm-up",
        )
    longest = max(lengths, default=0)
    if longest > duration_s - skipped_s:
        raise UsageError(
            f"{lengths[longest].text} cannot be judged in a run of {duration_s:g} s, of which "
            f"{skipped_s} s are its warm-up",
            hint="make the run longer, or the stretch shorter",
        )
    return Timing(width_s=width_s, warm_up_s=skipped_s)


def judged(run: LoadMeasurement) -> LoadMeasurement:
    """The run without its warm-up; its length and the server's memory stay those of the whole."""
    if not run.warm_up_s:
        return run
    width_s = max((_width_s(operation) for operation in run.operations.values()), default=1)
    start_s = left_out_s(run.warm_up_s, duration_s=run.duration_s, width_s=width_s)
    left = {
        name: OperationMeasurement.of(
            name,
            [window for window in operation.windows if window.second >= start_s],
            bytes_sent=operation.bytes_sent,
        )
        for name, operation in run.operations.items()
        if operation.windows
    }
    dropped = sum(run.operations[name].requests - part.requests for name, part in left.items())
    return replace(
        run,
        operations={**run.operations, **left},
        offered=max(run.offered - dropped, 0),
        warm_up_s=start_s,
    )


def rise(windows: Sequence[Window], q: float, *, model: str) -> float | None:
    """By which share a quantile of the response time rose from the first windows to the last.

    None where it did not, as far as can be told: by less than 10 %, or no more surely than chance
    does once in a hundred; and in an open model whose own rate moved, as that may be the reason.
    """
    size = len(windows) // BATCHES
    if not size:
        return None
    whole = windows[-size * BATCHES :]
    parts = [
        merged(window.response_time for window in whole[index * size : (index + 1) * size])
        for index in range(BATCHES)
    ]
    if not all(parts):
        return None
    if model == "open" and not steadiness([math.log(part.count) for part in parts]).steady:
        return None
    found = steadiness([math.log(max(part.quantile(q) or 0, 1)) for part in parts])
    return found.change if not found.steady and found.change > 0 else None


def _width_s(operation: OperationMeasurement) -> int:
    return operation.windows[0].width_s if operation.windows else 1
