"""What the verdicts of a soak test say, as sentences. Pure."""

import math
from typing import Final

from withstand.stats.drift import CountGrowth, Drift, Movement
from withstand.stats.leak import Doubt, Growth
from withstand.units import format_bytes, format_count, format_duration_ns, format_share

_SECONDS_PER_HOUR: Final = 3_600
_NO_PROBE: Final = (
    "the server's memory was not sampled; give --pid, --metrics or --probe-command to watch it"
)
_LONGER: Final = "run for longer, or at a higher rate, to tell"


def memory_text(growth: Growth | None, *, samples: int, rate_per_s: float) -> str:
    """`rate_per_s` is how many requests were answered per second."""
    if growth is None:
        if not samples:
            return _NO_PROBE
        return f"{format_count(samples)} samples of the memory are too few to judge; run for longer"
    tolerated = f"{format_bytes(growth.tolerance)} is tolerated"
    per = _per_request(growth, rate_per_s)
    match growth.movement:
        case Movement.GROWS:
            assert growth.low is not None, "what surely grows is bounded"
            return (
                f"memory grows by {format_bytes(growth.growth)} over the run, surely by more than "
                f"{format_bytes(growth.low)}; {tolerated}{per}"
            )
        case Movement.STEADY:
            assert growth.high is not None, "what is surely steady is bounded"
            return (
                f"memory grows by less than {format_bytes(max(growth.high, 0))} over the run; "
                f"{tolerated}"
            )
        case Movement.UNDECIDED:
            return f"{_doubt(growth)}; {tolerated}{per}: {_remedy(growth)}"


def _doubt(growth: Growth) -> str:
    match growth.doubt:
        case Doubt.WARMING:
            tau = growth.warming_tau_s
            how = f", with a time constant of about {_time(tau)}" if tau is not None else ""
            return f"memory still warms up{how}"
        case Doubt.SHORT_RUN:
            return (
                f"memory grows by {format_bytes(growth.growth)}, which in so short a run may be "
                f"a warm-up"
            )
        case _:
            if growth.low is None or growth.high is None:
                return f"memory moves by about {format_bytes(growth.growth)} over the run"
            return (
                f"memory moves by between {format_bytes(growth.low)} and "
                f"{format_bytes(growth.high)} over the run"
            )


def _remedy(growth: Growth) -> str:
    if growth.extend_to_s is None:
        return _LONGER
    return f"extend the run to at least {_time(growth.extend_to_s)} to tell"


def _per_request(growth: Growth, rate_per_s: float) -> str:
    """How fast it grows: per hour, and per thousand requests."""
    if growth.slope_per_s <= 0 or rate_per_s <= 0:
        return ""
    per_hour = format_bytes(growth.slope_per_s * _SECONDS_PER_HOUR)
    per_thousand = format_bytes(growth.slope_per_s / rate_per_s * 1_000)
    return f"; {per_hour} an hour, {per_thousand} per 1,000 requests"


def descriptors_text(name: str, found: CountGrowth | None, *, samples: int) -> str:
    """`name` is what was counted, such as descriptors or threads."""
    if found is None:
        return f"{format_count(samples)} samples of the {name} are too few to judge; run for longer"
    match found.movement:
        case Movement.GROWS:
            return f"{found.rise:.0f} {name} were not given back, and more go on being taken"
        case Movement.STEADY:
            return f"{name} in use rise by {max(found.rise, 0):.0f} at most, which is no leak"
        case Movement.UNDECIDED:
            return (
                f"{found.rise:.0f} more {name} are in use than at first, which may be a pool that "
                f"filled up: run for longer to tell"
            )


def restarts_text(restarts: int) -> str:
    """What is added where the server did not stay the same process."""
    if not restarts:
        return ""
    times = "once" if restarts == 1 else f"{format_count(restarts)} times"
    return f" (the server started again {times}; judged is what followed)"


def latency_text(
    name: str,
    found: Drift | None,
    *,
    windows: int,
    tolerance_share: float,
    generator: str | None,
) -> str:
    """`found` is of logarithms; `generator` says why the growth may be the generator's own."""
    if found is None:
        return f"{windows} windows of the response time are too few to judge; run for longer"
    change = f"{name} went {_change(found.change)} after the warm-up"
    between = (
        f", surely between {_signed(found.low)} and {_signed(found.high)}"
        if found.low is not None and found.high is not None
        else ""
    )
    text = f"{change}{between}; {format_share(tolerance_share)} is tolerated"
    if generator is not None:
        return f"{text}: {generator}"
    return f"{text}: {_LONGER}" if found.movement is Movement.UNDECIDED else text


def errors_text(found: Drift | None, *, windows: int, exhausted: bool) -> str:
    """`exhausted` says that the generator ran out of descriptors or ports."""
    if found is None:
        return f"{windows} windows of requests are too few to judge; run for longer"
    moved = f"moved by {found.change * 100:+.3g} percentage points" if found.change else "stayed"
    text = f"the share of errors {moved} from the first third after the warm-up to the last"
    if found.movement is not Movement.UNDECIDED:
        return text
    if exhausted:
        return f"{text}, and some failed for want of descriptors or ports on the generator's side"
    if found.high is None:
        return f"no request came to an end in one of them: {_LONGER}"
    return f"{text}, and may have by {found.high * 100:+.3g}: {_LONGER}"


def _change(log_change: float) -> str:
    share = math.expm1(log_change)
    return f"{'up' if share >= 0 else 'down'} by {format_share(abs(share))}"


def _signed(log_change: float) -> str:
    share = math.expm1(log_change)
    return f"{'+' if share >= 0 else '-'}{format_share(abs(share))}"


def _time(seconds: float) -> str:
    """As people say it: 40 s, 25 min, 3.5 h."""
    if seconds < 100:
        return format_duration_ns(seconds * 1e9)
    if seconds < 100 * 60:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 360) / 10:.3g} h"
