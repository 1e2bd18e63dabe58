"""Reported against true, row by row, and what follows from it. Pure.

A busy machine delays sends, answers and wake-ups. It can make latencies longer and sends uneven,
but never a latency shorter than the stall that it falls into, nor a count wrong. So what is
reported too low is wrong on any machine; what is reported too high is wrong unless somebody saw
that the machine was late: the generator by its send lag, the server by its own wake-ups or by how
long it took after a stall until all that had queued up had come to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from withstand.selftest.spacing import Spacing
from withstand.selftest.truth import StallPattern, quantile_of
from withstand.stats.histogram import Histogram
from withstand.units import format_duration_ns

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
MAX_RELATIVE: Final = 0.02
MAX_ABSOLUTE_NS: Final = 300_000  # where the truth is nothing, or so little that 2 % are less
MAX_BACK_TO_BACK: Final = 0.01
MAX_VARIATION: Final = 0.3
# A machine that has a core to spare is below these by far.
MAX_LAG_NS: Final = 1_000_000
MAX_LATENESS_NS: Final = 2_000_000  # the server's event loop itself rounds to 1 ms
_LATENESS_QUANTILE: Final = 0.999

Unit = Literal["ns", "count", "per_s", "share", "number"]


class Agreement(StrEnum):
    """Whether what was reported is what was true."""

    AGREES = "agrees"
    OFF = "off"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `true` is None where there is nothing to hold it against, `reported` where the
    tool does not say. `by_design` is what would be true if the server had kept its schedule.
    """

    what: str
    unit: Unit
    true: float | None
    reported: float | None
    agreement: Agreement | None = None
    by_design: float | None = None
    allowed: str = ""

    @property
    def ratio(self) -> float | None:
        """Reported over true; None where one of them is nothing."""
        return self.reported / self.true if self.true and self.reported is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The rows of one experiment. `late` is what `lateness` said of the machine meanwhile. A
    `peer`'s rows are shown and decide nothing about Withstand; `failure` says why it has none.
    """

    title: str
    rows: tuple[Row, ...]
    late: str | None = None
    peer: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A whole self-test."""

    sections: tuple[Section, ...]
    interrupted: bool = False

    @property
    def agreement(self) -> Agreement:
        """OFF when any row of ours is, else CANNOT_TELL when any is or when there is none."""
        found = {
            row.agreement for section in self.sections if not section.peer for row in section.rows
        }
        if Agreement.OFF in found:
            return Agreement.OFF
        if Agreement.CANNOT_TELL in found or Agreement.AGREES not in found:
            return Agreement.CANNOT_TELL
        return Agreement.AGREES

    @property
    def exit_code(self) -> int:
        """0 all agree, 1 we are wrong, 3 the machine is too busy to tell, 130 interrupted."""
        if self.interrupted:
            return 130
        return {Agreement.AGREES: 0, Agreement.OFF: 1, Agreement.CANNOT_TELL: 3}[self.agreement]


def lateness(
    send_lag: Histogram | None, server_lateness_ns: Sequence[int], drain_ns: int = 0
) -> str | None:
    """How late this machine let generator or server run, when that is too much; None when not."""
    lag_ns = send_lag.quantile(_LATENESS_QUANTILE) if send_lag else None
    server_ns = (
        quantile_of(sorted(server_lateness_ns), _LATENESS_QUANTILE) if (server_lateness_ns) else 0
    )
    seen = []
    if lag_ns is not None and lag_ns > MAX_LAG_NS:
        seen.append(f"one send in a thousand left {format_duration_ns(lag_ns)} late or more")
    if server_ns > MAX_LATENESS_NS:
        seen.append(f"the server itself woke up {format_duration_ns(server_ns)} late")
    if drain_ns > MAX_LATENESS_NS:
        seen.append(f"what a stall had held up took {format_duration_ns(drain_ns)} to get through")
    return " and ".join(seen) or None


def latency_rows(
    reported: Mapping[float, float],
    true_ns: Sequence[int],
    *,
    late: str | None,
    pattern: StallPattern | None = None,
    drain_ns: int = 0,
) -> Iterator[Row]:
    """A row for each quantile; `true_ns` ascends, and `reported` may lack some quantiles.

    What is too high by no more than `drain_ns` may be the time that a stall's queue took, where
    that is long enough to be told as a lateness.
    """
    excused_ns = drain_ns if drain_ns > MAX_LATENESS_NS else 0
    for q in QUANTILES:
        true = quantile_of(true_ns, q)
        found = reported.get(q)
        yield Row(
            what=f"p{q * 100:g}",
            unit="ns",
            true=true,
            reported=found,
            by_design=pattern.quantile_s(q) * 1e9 if pattern else None,
            allowed="2 % or 0.3 ms",
            agreement=None if found is None else _of_latency(found, true, late, excused_ns),
        )


def quantiles_ns(histogram: Histogram) -> dict[float, float]:
    """What a histogram says of the quantiles; empty when it is."""
    found = {q: histogram.quantile(q) for q in QUANTILES}
    return {q: value for q, value in found.items() if value is not None}


def count_row(what: str, *, true: int, reported: int | None, slack: int = 0) -> Row:
    """Counts agree exactly, or within the requests that a peer left under way at its end."""
    return Row(
        what=what,
        unit="count",
        true=true,
        reported=reported,
        allowed=f"±{slack}" if slack else "exactly",
        agreement=None
        if reported is None
        else Agreement.AGREES
        if abs(reported - true) <= slack
        else Agreement.OFF,
    )


def spacing_rows(spacing: Spacing, *, late: str | None) -> Iterator[Row]:
    """How even the sends were."""
    for what, unit, value, most, allowed in (
        ("variation of the gaps", "number", spacing.variation, MAX_VARIATION, "below 0.3"),
        ("back to back (< 0.2 ms)", "share", spacing.back_to_back, MAX_BACK_TO_BACK, "below 1 %"),
    ):
        yield Row(
            what=what,
            unit=unit,  # type: ignore[arg-type]  # a literal of the table above
            true=0.0,
            reported=value,
            allowed=allowed,
            agreement=_excused(late) if value >= most else Agreement.AGREES,
        )
    for what, number in (("fewest in 50 ms", spacing.least), ("most in 50 ms", spacing.most)):
        yield Row(what=what, unit="count", true=spacing.ideal, reported=number)


def _of_latency(reported: float, true: float, late: str | None, excused_ns: int) -> Agreement:
    slack_ns = max(MAX_RELATIVE * true, MAX_ABSOLUTE_NS)
    if reported < true - slack_ns:
        return Agreement.OFF
    if reported <= true + slack_ns:
        return Agreement.AGREES
    return Agreement.CANNOT_TELL if reported <= true + slack_ns + excused_ns else _excused(late)


def _excused(late: str | None) -> Agreement:
    return Agreement.CANNOT_TELL if late else Agreement.OFF
