"""Verdicts on objectives over stretches of time: `p99<300ms over 10s`. Pure.

Every stretch of that length is held against the limit, sliding by the recorded window; the verdict
is that of the worst, and names it. See `withstand.slo.stretch` for what a stretch says.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from withstand.load.measurement import LoadMeasurement
from withstand.load.window import Window
from withstand.slo.objective import Indicator, Objective, format_value
from withstand.slo.stretch import (
    Row,
    Stretch,
    least_requests,
    most_bad,
    row_of,
    said,
    stretches,
)
from withstand.slo.verdict import Verdict, VerdictState, inconclusive, nothing_ended
from withstand.stats.histogram import bucket_bounds, quantile_rank
from withstand.units import format_count, format_duration_ns

_BADNESS: Final = (VerdictState.MET, VerdictState.INCONCLUSIVE, VerdictState.BREACHED)


def on_stretches(
    objective: Objective, name: str, windows: Sequence[Window], run: LoadMeasurement
) -> Verdict:
    """The verdict on the stretches of an operation, or of the run, with these windows.

    It is undecided where no stretch is as long as promised, and where stretches of that length
    cannot be made of the run's windows, which are wider than a second in long runs.
    """
    over_s = objective.over_s or 0
    width_s = windows[0].width_s if windows else 1
    samples = sum(window.requests for window in windows)
    if not samples:
        return inconclusive(objective, name, nothing_ended(name))
    if over_s % width_s:
        reason = (
            f"this run is recorded in windows of {width_s} s, of which no stretch of {over_s} s "
            f"can be made; give a multiple of {width_s} s"
        )
        return inconclusive(objective, name, reason, samples=samples)
    lag_ns = run.generator.send_lag.maximum or 0
    rows = {window.second: row_of(objective, window, send_lag_ns=lag_ns) for window in windows}
    found = tuple(
        stretch
        for stretch in stretches(
            rows,
            over_s=over_s,
            width_s=width_s,
            start_s=run.warm_up_s,
            end_s=_end_s(objective, run, width_s),
        )
        if stretch.row.requests or objective.indicator is Indicator.RATE
    )
    if not found:
        judged_s = max(run.duration_s - run.warm_up_s, 0.0)
        reason = f"only {judged_s:.3g} s of the run count, and a stretch takes {over_s} s"
        return inconclusive(objective, name, reason, samples=samples)
    states = [said(objective, each.row, seconds=over_s, model=run.model) for each in found]
    values = _values(objective, found, windows)
    worst = max(
        range(len(found)),
        key=lambda index: (
            _BADNESS.index(states[index]),
            _excess(objective, found[index].row),
            math.inf if values[index] is None else _upwards(objective, values[index]),
        ),
    )
    broken = states.count(VerdictState.BREACHED)
    return Verdict(
        objective=objective,
        operation=name,
        state=states[worst],
        observed=values[worst],
        unit=objective.unit,
        interval=None,
        samples=samples,
        stretch=(found[worst].start_s, found[worst].end_s),
        reason=_reason(objective, found[worst], states[worst], run)
        + (f"; so {broken} of {len(found)} stretches" if broken > 1 else ""),
    )


def _end_s(objective: Objective, run: LoadMeasurement, width_s: int) -> int:
    """Up to where stretches may reach: requests per second need whole seconds, requests do not."""
    whole = math.floor if objective.indicator is Indicator.RATE else math.ceil
    return whole(round(run.duration_s / width_s, 6)) * width_s


def _excess(objective: Objective, row: Row) -> float:
    """How bad a stretch is beside others of the same state."""
    match objective.indicator:
        case Indicator.RATE:
            return -row.good
        case Indicator.AVERAGE:
            return row.total_ns / row.requests
        case _:
            return row.bad / row.requests


def _upwards(objective: Objective, value: float | None) -> float:
    floor = objective.indicator is Indicator.RATE
    return -(value or 0.0) if floor else value or 0.0


def _values(
    objective: Objective, found: Sequence[Stretch], windows: Sequence[Window]
) -> list[float | None]:
    """What was observed in each stretch."""
    match objective.indicator:
        case Indicator.RATE:
            return [each.row.good / (each.end_s - each.start_s) for each in found]
        case Indicator.AVERAGE:
            return [each.row.total_ns / each.row.requests for each in found]
        case Indicator.ERRORS:
            return [each.row.errors / each.row.requests for each in found]
        case Indicator.MAXIMUM:
            return list(_maxima(found, windows))
        case _:
            return list(_quantiles(objective.quantile or 0.0, found, windows))


def _maxima(found: Sequence[Stretch], windows: Sequence[Window]) -> Iterator[float | None]:
    by_second = {window.second: window for window in windows}
    width_s = windows[0].width_s
    for each in found:
        if each.row.errors:
            yield None
            continue
        inside = (by_second.get(at) for at in range(each.start_s, each.end_s, width_s))
        yield max(window.response_time.maximum or 0 for window in inside if window is not None)


def _quantiles(
    q: float, found: Sequence[Stretch], windows: Sequence[Window]
) -> Iterator[float | None]:
    """The quantile of each stretch with errors slower than everything; None among the errors.

    Buckets enter and leave as the stretch slides, so that long stretches cost no more.
    """
    by_second = {window.second: _answered(window) for window in windows}
    width_s = windows[0].width_s
    inside: Counter[int] = Counter()
    start_s = end_s = found[0].start_s
    for each in found:
        for second in range(end_s, each.end_s, width_s):
            inside.update(by_second.get(second, {}))
        for second in range(start_s, each.start_s, width_s):
            inside.subtract(by_second.get(second, {}))
        start_s, end_s = each.start_s, each.end_s
        yield _at_rank(inside, quantile_rank(q, each.row.requests), each.row.good)


def _answered(window: Window) -> Mapping[int, int]:
    """Response times by bucket without those of errors."""
    counts = window.response_time.counts
    errors = window.error_time.counts
    return {key: times - errors.get(key, 0) for key, times in counts.items()} if errors else counts


def _at_rank(counts: Mapping[int, int], rank: int, answered: int) -> float | None:
    left = answered - rank + 1  # from above, where quantiles that people promise are near
    if left < 1:
        return None
    for key in sorted(counts, reverse=True):
        left -= counts[key]
        if left < 1:
            return sum(bucket_bounds(key)) / 2
    raise AssertionError("the buckets hold every request that was answered")


def _reason(
    objective: Objective, stretch: Stretch, state: VerdictState, run: LoadMeasurement
) -> str:
    row, over_s = stretch.row, stretch.end_s - stretch.start_s
    where = f"from {stretch.start_s} s to {stretch.end_s} s"
    limit = format_value(objective.limit, objective.unit)
    count = format_count(row.requests)
    lag = format_duration_ns(run.generator.send_lag.maximum or 0)
    late = f", and the generator itself was up to {lag} late, which may be all there is to it"
    match objective.indicator:
        case Indicator.RATE:
            if state is VerdictState.INCONCLUSIVE:
                return (
                    f"{where} only {count} requests were due, which cannot show {limit}; offer "
                    f"at least that rate"
                )
            return (
                f"{where} {format_count(row.good)} requests came to a good end, "
                f"{row.good / over_s:.4g}/s; {limit} is promised over every {over_s} s"
            )
        case Indicator.AVERAGE:
            took = format_value(row.total_ns / row.requests, objective.unit)
            what = f"{where} {count} requests took {took} on average; {limit} is allowed"
            return what + (late if state is VerdictState.INCONCLUSIVE else "")
        case Indicator.ERRORS:
            bad = "failed or got an unexpected status"
        case _:
            bad = f"failed or took longer than {limit}"
    most = most_bad(objective, row.requests)
    may = format_count(most) if most else "none"
    what = f"{where} {format_count(row.bad)} of {count} requests {bad}; {may} may"
    if state is not VerdictState.INCONCLUSIVE:
        return what
    least = least_requests(objective)
    if row.requests < least:
        return f"{what}, but fewer than {format_count(least)} requests cannot tell"
    return what + late
