"""The trials in the terminal report. Pure."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from withstand.report.trial_view import CLOSED_LOOP, trial_rows, trial_sentences
from withstand.report.wording import QUANTILES, printable, quantile_name, time_text
from withstand.results import Results
from withstand.slo.trial_record import TrialRecord
from withstand.units import format_count, format_duration_ns


def trial_tables(results: Results, record: TrialRecord) -> Iterator[RenderableType]:
    """What each operation took, and what was not tried."""
    if rows := trial_rows(record, QUANTILES):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("operation", overflow="fold")
        for name in ("requests", "failed", *map(quantile_name, QUANTILES), "took"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(
                Text(printable(row.operation)),
                Text(format_count(row.requests)),
                Text(format_count(row.failed), style="red" if row.failed else ""),
                *(Text(time_text(value)) for value in row.quantiles),
                Text(format_duration_ns(row.spent_s * 1e9)),
            )
        yield table
        yield Text(CLOSED_LOOP, style="dim")
        for row in rows:
            if row.errors:
                yield Text(f"✗ {printable(f'{row.operation}: {row.errors}')}", style="red")
    for sentence in trial_sentences(results):
        yield Text(f"! {printable(sentence)}", style="yellow")
    if record.void is not None:
        yield Text(f"⊘ void: {printable(record.void)}", style="bold yellow")
