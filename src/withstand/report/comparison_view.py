"""How a comparison reads, whatever the format: sentences and rows. Pure."""

from dataclasses import dataclass
from typing import Final

from withstand.load.comparison import ComparisonMeasurement
from withstand.report.wording import plural
from withstand.slo.comparison import ERRORS, ComparisonVerdict, Difference
from withstand.slo.stored_comparison import StoredDifference
from withstand.stats.regression import ALPHA, HARMLESS, RUN_SD, Change, Regression
from withstand.units import format_duration_ns, format_share

SYMBOL: Final = {Change.WORSE: "✗", Change.NO_WORSE: "✓", Change.UNDECIDED: "?"}
HEADER: Final = ("operation", "", "A", "B", "change", "verdict", "could have seen")
_LATENCY_WORD: Final = {
    Change.WORSE: "slower",
    Change.NO_WORSE: "not slower",
    Change.UNDECIDED: "undecided",
}
_ERRORS_WORD: Final = {
    Change.WORSE: "more errors",
    Change.NO_WORSE: "no more errors",
    Change.UNDECIDED: "undecided",
}
_NO_VERDICT: Final = "no verdict"
_TOO_LITTLE: Final = "too few answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `state` is None where there is no verdict at all."""

    cells: tuple[str, ...]
    state: Change | None


def headline(verdict: ComparisonVerdict) -> str:
    """What the comparison comes to, in one sentence."""
    worse = verdict.worse()
    if worse:
        # The surest one stands for all: the one whose lower bound is highest.
        latencies = [each for each in worse if each.indicator != ERRORS]
        chosen = max(latencies or worse, key=lambda each: each.found.low if each.found else 0.0)
        rest = len(worse) - 1
        more = f", and {plural(rest, 'other difference')}" if rest else ""
        return f"B is worse: {sentence(chosen)}{more}"
    states = {each.state for each in verdict.differences if each.indicator != ERRORS}
    if states == {Change.NO_WORSE}:
        no_slower = (
            f"B is not slower than A by {format_share(max(HARMLESS, verdict.margin))} or more"
        )
        if verdict.state is Change.NO_WORSE:
            return no_slower
        return f"{no_slower}, but too few requests were sent to tell whether it fails more of them"
    seen = [
        each.found.detectable
        for each in verdict.differences
        if each.found is not None and each.indicator != ERRORS
    ]
    # None at all where nothing was measured to its end.
    could = f"; a regression of {format_share(max(seen))} would have been seen" if seen else ""
    return f"Undecided whether B is slower than A{could}"


def sentence(difference: Difference) -> str:
    """`GET /users p50 is 12.4 % slower (9.8 to 15.1 %)`."""
    what = f"{difference.operation} {difference.indicator}"
    found = difference.found
    if found is None:
        return f"{what}: {_TOO_LITTLE}"
    if difference.indicator == ERRORS:
        return f"{what}: {_points(found.change)} points more ({_points_between(found)})"
    direction = "slower" if found.change >= 0 else "faster"
    low, high = found.low, found.high
    if found.change < 0:
        low, high = -high, -low
    bounds = f"{_percent(low)} to {_percent(high)} %"
    return f"{what} is {_percent(abs(found.change))} % {direction} ({bounds})"


def design(measured: ComparisonMeasurement, verdict: ComparisonVerdict) -> str:
    """What was measured and how it was judged, in one line."""
    parts = [f"{measured.blocks} blocks of {measured.requests} requests to each"]
    if measured.restarted:
        parts.insert(0, f"{measured.restarts} restarts")
    return (
        f"{', '.join(parts)}, one at a time and in random order; slower is more than "
        f"{format_share(verdict.margin)}"
    )


def notes(measured: ComparisonMeasurement, verdict: ComparisonVerdict) -> tuple[str, ...]:
    """What a reader must know about the figures."""
    said = []
    if measured.cut_short:
        said.append(f"cut short: {measured.cut_short}")
    if not measured.restarted:
        said.append(
            "the servers were not restarted: two starts of one version can differ by some percent, "
            f"which this cannot tell from a change, so the margin is {format_share(verdict.margin)}"
        )
    if verdict.tests > 1:
        said.append(
            f"the {verdict.tests} tests together raise a false alarm in at most "
            f"{format_share(ALPHA)} of comparisons"
        )
    said += [f"not compared: {key}: {why}" for key, why in measured.left_out.items()]
    return tuple(said)


def rows(verdict: ComparisonVerdict) -> tuple[Row, ...]:
    """Every difference, what is worse first within each operation's order."""
    return tuple(_row(each) for each in verdict.differences)


def stored_rows(differences: tuple[StoredDifference, ...]) -> tuple[Row, ...]:
    """Every difference of two stored runs."""
    return tuple(
        Row(
            cells=(
                each.operation,
                each.indicator,
                value_text(each.indicator, each.a),
                value_text(each.indicator, each.b),
                "" if each.found is None else f"{100 * each.found.change:+.1f} %",
                _NO_VERDICT,
                "" if each.found is None else format_share(each.found.detectable),
            ),
            state=None,
        )
        for each in differences
    )


def stored_reason() -> str:
    """Why two stored runs never fail a build."""
    return (
        "Two stored runs fail nothing: runs of one version differ by themselves, by some percent "
        "on a quiet machine, and one run of each cannot tell that from a change. What could have "
        f"been seen assumes {format_share(RUN_SD)} from run to run. For a verdict, compare the "
        "two versions while both run"
    )


def value_text(indicator: str, value: float | None) -> str:
    """A time or a share; a dash for none."""
    if value is None:
        return "-"
    return format_share(value) if indicator == ERRORS else format_duration_ns(value)


def _row(difference: Difference) -> Row:
    found, errors = difference.found, difference.indicator == ERRORS
    words = _ERRORS_WORD if errors else _LATENCY_WORD
    change = seen = ""
    if found is not None and errors:
        change = f"{100 * found.change:+.2g} points ({_points_between(found)})"
    elif found is not None:
        change = f"{100 * found.change:+.1f} % ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
        seen = format_share(found.detectable)
    state = difference.state
    word = _TOO_LITTLE if found is None else words[state]
    return Row(
        cells=(
            difference.operation,
            difference.indicator,
            value_text(difference.indicator, difference.a),
            value_text(difference.indicator, difference.b),
            change,
            f"{SYMBOL[state]} {word}",
            seen,
        ),
        state=state,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _points(share: float) -> str:
    return f"{100 * share:.2g}"


def _points_between(found: Regression) -> str:
    return f"{_points(found.low)} to {_points(found.high)}"
