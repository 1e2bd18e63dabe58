"""How trends read in every report. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from withstand.report.wording import plural
from withstand.slo import VerdictState
from withstand.slo.capacity_text import rate_text
from withstand.slo.trend import Series, Standing, Trend, slower
from withstand.stats.history_rule import RUNS
from withstand.units import format_duration_ns, format_share

KEY: Final = (
    f"Change is against the median of the last {RUNS} runs before on the same kind of machine. "
    "Detects is the smallest rise of the p95 that two runs in a row show in four of five cases."
)


def series_text(series: Series) -> str:
    """What its runs have in common, but for the machine."""
    return f"{series.kind} of {series.target}, {series.shape}"


def level_text(trend: Trend) -> str:
    """The latest level: a time, or a rate."""
    level = trend.latest.level
    return rate_text(level) if trend.is_rate else format_duration_ns(level)


def change_text(trend: Trend) -> str:
    """The latest change with its sign, or a dash for the first run."""
    comparison = trend.comparison()
    return "-" if comparison is None else signed_share(comparison.change)


def detectable_text(trend: Trend) -> str:
    """The smallest rise that would be found, or a dash where none is."""
    comparison = trend.comparison()
    if trend.is_rate or comparison is None or comparison.detectable is None:
        return "-"
    return signed_share(comparison.detectable)


def signed_share(share: float) -> str:
    """`+4.2 %`, `-12 %`."""
    return f"{'+' if share > 0 else ''}{format_share(round(share, 3))}"


def standing_class(trend: Trend) -> str:
    """Coloured like the verdicts on objectives."""
    return {
        Standing.CONFIRMED: VerdictState.BREACHED.value,
        Standing.SLOWER: VerdictState.INCONCLUSIVE.value,
    }.get(trend.standing(), "")


def spoken(trend: Trend) -> str:
    """The drawing in words."""
    runs = plural(len(trend.points), "run")
    return f"{trend.name} over {runs}, the latest {level_text(trend)}, {change_text(trend)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A sentence about trends; with the standing that it reports, or None for what is only said."""

    text: str
    standing: Standing | None = None


def remarks(trends: Sequence[Trend]) -> list[Remark]:
    """What has to be said of trends of one series, the gravest first."""
    made = [
        Remark(text=_slower_text(trend), standing=standing)
        for standing in (Standing.CONFIRMED, Standing.SLOWER)
        for trend in slower(trends, standing)
    ]
    short = [more for each in trends if not each.is_rate and (more := each.missing_runs())]
    if short:
        to_go = f"before there are {RUNS} runs: {plural(max(short), 'run')} to go"
        what = (
            "nothing is"
            if len(short) == len(trends)
            else f"of {len(trends)} operations {len(short)} cannot be"
        )
        made.append(Remark(text=f"{what} called slower {to_go}"))
    slowdowns = [by for each in trends if (by := each.machine_slowdown()) is not None]
    if slowdowns:
        longer = format_share(round(max(slowdowns), 2))
        made.append(
            Remark(
                text="the machine itself was slower than it usually is: a fixed piece of work took "
                f"{longer} longer"
            )
        )
    return made


def _slower_text(trend: Trend) -> str:
    by = f"{trend.name} is slower than its history: p95 {level_text(trend)}, {change_text(trend)}"
    if trend.standing() is Standing.CONFIRMED:
        return f"{by}, in two runs one after the other"
    return f"{by}; one run proves nothing, so run it again"
