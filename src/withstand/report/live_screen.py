"""The live view of a load: what is drawn, from what is known. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from withstand.load.progress import Progress
from withstand.report.live_tally import LiveTally
from withstand.report.wording import plural, printable, quantile_name
from withstand.slo import Outlook, Standing
from withstand.stats.histogram import Histogram
from withstand.units import format_count, format_duration_ns, format_share

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_QUANTILES: Final = (0.5, 0.95, 0.99)
_BAR_WIDTH: Final = 24
_FIXED_LINES: Final = 8
_MOST_OBJECTIVES: Final = 6
_WIDTH_OF_ALL: Final = 96
_SYMBOL: Final = {
    Standing.TOO_EARLY: ("·", "dim"),
    Standing.MET_SO_FAR: ("✓", "green"),
    Standing.NOT_MET_SO_FAR: ("!", "yellow"),
    Standing.BREACHED: ("✗", "bold red"),
}
_URGENCY: Final = (
    Standing.BREACHED,
    Standing.NOT_MET_SO_FAR,
    Standing.TOO_EARLY,
    Standing.MET_SO_FAR,
)


def draw(
    progress: Progress,
    tally: LiveTally,
    outlooks: Sequence[Outlook],
    *,
    width: int,
    height: int,
    keys: bool,
) -> RenderableType:
    """The view, for a terminal of so many columns and lines."""
    lines: list[RenderableType] = [_clock(progress, keys=keys), *_figures(progress, tally, width)]
    standing = list(_objectives(outlooks))
    if standing:
        lines += [Text(), *standing]
    rows = height - _FIXED_LINES - len(standing)
    if len(tally.operations) > 1 and rows > 1:
        lines += [Text(), _operations(progress, tally, width=width, rows=rows)]
    return Group(*lines)


def _clock(progress: Progress, *, keys: bool) -> Text:
    if progress.elapsed_s < 0:
        return Text(f"load starts in {-progress.elapsed_s:.0f} s")
    share = min(max(progress.elapsed_s / (progress.duration_s or 1.0), 0.0), 1.0)
    done = round(share * _BAR_WIDTH)
    text = Text.assemble(
        ("load ", "bold"),
        ("━" * done, "cyan"),
        ("━" * (_BAR_WIDTH - done), "dim"),
        f" {progress.elapsed_s:.0f} s of {progress.duration_s:g} s",
    )
    if keys:
        text.append("  q stops and keeps the results", style="dim")
    return _one_line(text)


def _figures(progress: Progress, tally: LiveTally, width: int) -> Iterator[Text]:
    rate = Text.assemble(_label("rate"), f"{progress.rate_per_s:,.0f}/s answered")
    if progress.users is None and tally.offered_per_s is not None:
        rate.append(f", {tally.offered_per_s:,.0f}/s offered")
    room = max(width - rate.cell_len - 2, 0)
    rate.append(f"  {sparkline(tuple(tally.rates)[-room:])}" if room else "", style="cyan")
    yield _one_line(rate)
    busy = [] if progress.users is None else [plural(progress.users, "user")]
    busy.append(f"{format_count(progress.in_flight)} in flight")
    if progress.queued:
        busy.append(f"{format_count(progress.queued)} waiting for a connection")
    yield _one_line(Text.assemble(_label("now"), ", ".join(busy)))
    times = ", ".join(f"{quantile_name(q)} {_time(tally.recent, q)}" for q in _QUANTILES)
    lag = tally.newest.generator.send_lag if tally.newest is not None else Histogram()
    late = f"; send lag p99 {_time(lag, 0.99)}" if lag else ""
    yield _one_line(Text.assemble(_label("times"), f"{times} (last 10 s){late}"))
    yield _one_line(_errors(tally))


def _errors(tally: LiveTally) -> Text:
    errors = tally.errors
    total = errors.total()
    if not total:
        return Text.assemble(_label("errors"), f"none of {plural(tally.requests, 'request')}")
    classes = ", ".join(f"{format_count(n)} {printable(what)}" for what, n in errors.most_common(4))
    share = format_share(total / (tally.requests or 1))
    return Text.assemble(_label("errors"), (f"{format_count(total)} ({share}): {classes}", "red"))


def _objectives(outlooks: Sequence[Outlook]) -> Iterator[Text]:
    """One line for an objective, by the operation where it stands worst."""
    worst: dict[str, list[Outlook]] = {}
    for outlook in sorted(outlooks, key=lambda each: _URGENCY.index(each.standing)):
        worst.setdefault(outlook.objective.text, []).append(outlook)
    for text, alike in list(worst.items())[:_MOST_OBJECTIVES]:
        shown = alike[0]
        symbol, style = _SYMBOL[shown.standing]
        where = "" if shown.operation == "*" else f" {printable(shown.operation)}"
        note = f": {printable(shown.note)}" if shown.note else ""
        yield _one_line(
            Text.assemble((f"{symbol} {text}", style), f"{where}  {shown.standing}{note}")
        )
    if len(worst) > _MOST_OBJECTIVES:
        yield Text(f"  and {plural(len(worst) - _MOST_OBJECTIVES, 'objective')} more", style="dim")


def _operations(progress: Progress, tally: LiveTally, *, width: int, rows: int) -> RenderableType:
    wide = width >= _WIDTH_OF_ALL
    quantiles = _QUANTILES if wide else _QUANTILES[1:2]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("operation", no_wrap=True, overflow="ellipsis")
    for name in ("requests", "rate", "errors", *map(quantile_name, quantiles)):
        table.add_column(name, justify="right", no_wrap=True)
    busiest = list(tally.busiest())
    shown = busiest if len(busiest) < rows else busiest[: rows - 2]
    for name, operation in shown:
        errors = (+operation.errors).total()
        recent = operation.recent
        table.add_row(
            Text(printable(name)),
            format_count(operation.requests),
            f"{operation.rate_per_s(progress.elapsed_s):,.0f}/s",
            Text(format_count(errors), style="red" if errors else ""),
            *(_time(recent, q) for q in quantiles),
        )
    hidden = len(busiest) - len(shown)
    return Group(table, Text(f"and {hidden} more", style="dim")) if hidden else table


def sparkline(values: Sequence[float]) -> str:
    """Values as bars of eight heights, from nothing up to the greatest."""
    top = max(values, default=0.0)
    if top <= 0:
        return ""
    return "".join(
        _BLOCKS[min(int(value / top * len(_BLOCKS)), len(_BLOCKS) - 1)] for value in values
    )


def _label(name: str) -> tuple[str, str]:
    return f"{name:<7}", "dim"


def _one_line(text: Text) -> Text:
    # A line that breaks would make the view jump.
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _time(histogram: Histogram, q: float) -> str:
    value = histogram.quantile(q)
    return "-" if value is None else format_duration_ns(value)
