"""Trends for a person at a terminal: a line of blocks for each operation. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from withstand.report.sparkline import blocks
from withstand.report.trend_wording import (
    change_text,
    detectable_text,
    level_text,
    remarks,
    signed_share,
)
from withstand.report.wording import printable, time_text
from withstand.slo.capacity_text import rate_text
from withstand.slo.trend import Standing, Trend
from withstand.units import format_duration_ns, format_share

_STYLE = {Standing.CONFIRMED: "bold red", Standing.SLOWER: "yellow"}
_SYMBOL = {Standing.CONFIRMED: "✗", Standing.SLOWER: "?"}
_MOST_BLOCKS = 30
_FEWEST_BLOCKS = 8
_WIDTH_OF_THE_REST = 48


def trend_tables(trends: Sequence[Trend], width: int) -> Iterator[RenderableType]:
    """Trends of one series, at least one, and what has to be said of them."""
    names = max(len(trend.name) for trend in trends)
    most = min(max(width - names - _WIDTH_OF_THE_REST, _FEWEST_BLOCKS), _MOST_BLOCKS)
    is_rate = trends[0].is_rate
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("search" if is_rate else "operation", overflow="fold")
    table.add_column("trend", no_wrap=True)
    for name in ("rate" if is_rate else "p95", "change", "errors", "detects"):
        table.add_column(name, justify="right", no_wrap=True)
    for trend in trends:
        style = _STYLE.get(trend.standing(), "")
        table.add_row(
            Text(printable(trend.name), style=style),
            Text(blocks(trend, most)),
            Text(level_text(trend)),
            Text(change_text(trend), style=style),
            Text("-" if trend.is_rate else format_share(trend.latest.error_share)),
            Text(detectable_text(trend), style="dim"),
        )
    yield table
    for remark in remarks(trends):
        style = "" if remark.standing is None else _STYLE[remark.standing]
        symbol = "!" if remark.standing is None else _SYMBOL[remark.standing]
        yield Text(f"{symbol} {printable(remark.text)}", style=style)


def points_table(trend: Trend) -> RenderableType:
    """Every run of a trend, the newest first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    columns = ("rate",) if trend.is_rate else ("p50", "p95", "p99", "errors")
    for name in ("run", *columns, "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column("commit", no_wrap=True)
    for index in range(len(trend.points) - 1, -1, -1):
        point = trend.points[index]
        until = Trend(name=trend.name, series=trend.series, points=trend.points[: index + 1])
        comparison = until.comparison()
        figures = (
            (rate_text(point.level),)
            if trend.is_rate
            else (
                time_text(point.p50_ns),
                format_duration_ns(point.level),
                time_text(point.p99_ns),
                format_share(point.error_share),
            )
        )
        table.add_row(
            str(point.run),
            *figures,
            Text(
                "-" if comparison is None else signed_share(comparison.change),
                style=_STYLE.get(until.standing(), ""),
            ),
            datetime.fromtimestamp(point.started_at, UTC).strftime("%Y-%m-%d %H:%M"),
            Text((point.commit or "-")[:10]),
        )
    return table
