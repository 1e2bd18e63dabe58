"""The search for the sustainable rate in the terminal report. Pure."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from withstand.report.stress_view import (
    STEP_SYMBOL,
    StepRow,
    facts,
    quantile_heading,
    remarks,
    step_rows,
)
from withstand.report.wording import printable
from withstand.results import Results
from withstand.slo.capacity import Capacity
from withstand.slo.capacity_text import rate_text
from withstand.stats.capacity import StepState
from withstand.stats.usl import Throughput
from withstand.units import format_count, format_duration_ns, format_share

_STYLE = {
    StepState.MET: "green",
    StepState.BREACHED: "bold red",
    StepState.INCONCLUSIVE: "yellow",
    StepState.VOID: "yellow",
}
_BAR_WIDTH = 20
_WIDTH_OF_BARS = 100


def stress_tables(results: Results, found: Capacity, width: int) -> Iterator[RenderableType]:
    """What was found, then the steps by rate."""
    summary = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        summary.add_column(overflow="fold")
    for label, figure, meaning in facts(found):
        summary.add_row(Text(label, style="dim"), Text(figure), Text(meaning, style="dim"))
    yield summary
    rows = step_rows(results, found)
    if rows:
        yield Text()
        yield _steps(rows, quantile_heading(results), wide=width >= _WIDTH_OF_BARS)
        yield Text(
            "answered: good answers a second while the rate was held; times are response times, "
            "from the intended start, of the slowest operation",
            style="dim",
        )
    if results.stress is not None:
        if results.stress.sweep:
            yield Text()
            yield _sweep(results.stress.sweep)
        for name, why in results.stress.left_out.items():
            yield Text(f"! {printable(f'{name} was left out: {why}')}", style="yellow")
    for remark in remarks(found):
        yield Text(printable(remark))


def _steps(rows: list[StepRow], quantile: str, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("rate", justify="right", no_wrap=True)
    if wide:
        table.add_column("answered of asked", no_wrap=True)
    for name in ("answered", quantile, "errors", "requests", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    highest = max(row.rate_per_s for row in rows)
    for row in rows:
        style = _STYLE[row.state]
        cells = [Text(STEP_SYMBOL[row.state], style=style), Text(row.rate)]
        if wide:
            cells.append(_bar(row, highest, style))
        cells += [
            Text(rate_text(row.answered_per_s)),
            Text("-" if row.quantile_ns is None else format_duration_ns(row.quantile_ns)),
            Text(format_share(row.error_share), style="red" if row.error_share else ""),
            Text(format_count(row.requests)),
            Text(f"{row.seconds} s"),
            Text(printable(row.note), style="dim"),
        ]
        table.add_row(*cells)
    return table


def _bar(row: StepRow, highest: float, style: str) -> Text:
    """The asked rate as a bar, of which the answered part is solid."""
    asked = max(round(row.rate_per_s / highest * _BAR_WIDTH), 1)
    share = min(row.answered_per_s / row.rate_per_s, 1.0)
    answered = round(share * asked)
    return Text.assemble(("█" * answered, style), ("░" * (asked - answered), "dim"))


def _sweep(points: tuple[Throughput, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("users", "throughput", "of them"):
        table.add_column(name, justify="right")
    for point in points:
        table.add_row(
            Text(format_count(point.users)),
            Text(rate_text(point.mean_per_s)),
            Text(", ".join(f"{rate:,.0f}" for rate in point.per_s), style="dim"),
        )
    return table
