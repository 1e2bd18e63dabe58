"""The tables and lists of the terminal report. Pure."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.shards import load_shortfall
from withstand.report.scan_wording import Gap, coverage_by_check, gaps, idle_checks, notes
from withstand.report.verdict_groups import VerdictGroup, verdict_groups
from withstand.report.wording import (
    COVERAGE_WORD,
    GENERATOR_CPU,
    MOVEMENT_SYMBOL,
    QUANTILES,
    VERDICT_SYMBOL,
    drifts_by_urgency,
    error_text,
    load_facts,
    observation,
    opening_times,
    plural,
    printable,
    quantile_name,
    time_text,
)
from withstand.results import Results
from withstand.scan.records.record import CoverageState
from withstand.slo import DriftVerdict, Verdict, VerdictState
from withstand.stats.drift import Movement
from withstand.units import format_bytes, format_count, format_share

_VERDICT_STYLE = {
    VerdictState.MET: "green",
    VerdictState.BREACHED: "bold red",
    VerdictState.INCONCLUSIVE: "yellow",
}
_COVERAGE_STYLE = {
    CoverageState.PASSED: "green",
    CoverageState.FAILED: "bold red",
    CoverageState.INCONCLUSIVE: "yellow",
    CoverageState.SKIPPED: "yellow",
}
_MOVEMENT_STYLE = {
    Movement.STEADY: "green",
    Movement.GROWS: "bold red",
    Movement.UNDECIDED: "yellow",
}
_LONGEST_LIST = 3
_WIDTH_OF_ALL_COLUMNS = 110
_WIDTH_OF_MOST_COLUMNS = 90
_WIDTH_OF_COUNTS = 70
_WIDTH_OF_CHECK_NAMES = 79


class Indented:
    """Something two columns to the right, without blanks at the ends of its lines."""

    def __init__(self, body: RenderableType) -> None:
        self.body = body

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        inner = options.update(width=max(options.max_width - 2, 1))
        for line in console.render_lines(self.body, inner, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                last = line.pop()
                line.append(Segment(last.text.rstrip(), last.style))
                yield Segment("  ")
            yield from line
            yield Segment.line()


def objectives_table(verdicts: tuple[Verdict, ...], width: int) -> RenderableType:
    """What was promised and what was seen; one below the other where columns are too narrow."""
    groups = verdict_groups(verdicts)
    if width < _WIDTH_OF_ALL_COLUMNS:
        return Group(*(part for group in groups for part in _objective_lines(group)))
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(4):
        table.add_column(overflow="fold")
    for group in groups:
        style = _VERDICT_STYLE[group.shown.state]
        table.add_row(
            Text(VERDICT_SYMBOL[group.shown.state], style=style),
            Text(group.shown.objective.text, style=style),
            Text(group.place),
            Text("\n").join(_observed(group)),
        )
    return table


def _objective_lines(group: VerdictGroup) -> Iterator[RenderableType]:
    style = _VERDICT_STYLE[group.shown.state]
    symbol = VERDICT_SYMBOL[group.shown.state]
    yield Text.assemble((f"{symbol}  {group.shown.objective.text}", style), f"  {group.place}")
    for line in _observed(group):
        yield Indented(line)


def _observed(group: VerdictGroup) -> Iterator[Text]:
    seen = observation(group.shown)
    if group.role:
        yield Text(group.role)
    yield Text(seen)
    if group.shown.state is VerdictState.INCONCLUSIVE:
        yield Text(printable(group.shown.reason), style="yellow")


def drift_table(drifts: tuple[DriftVerdict, ...]) -> RenderableType:
    """What a soak test watched, and what is said of it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for drift in drifts_by_urgency(drifts):
        style = _MOVEMENT_STYLE[drift.movement]
        table.add_row(
            Text(MOVEMENT_SYMBOL[drift.movement], style=style),
            Text(drift.quantity.value, style=style),
            Text(printable(drift.reason)),
        )
    return table


def load_tables(load: LoadMeasurement, width: int) -> Iterator[RenderableType]:
    quantiles = tuple(quantile_name(quantile) for quantile in QUANTILES)
    columns: tuple[str, ...] = ("requests", "rate", "errors", *quantiles, "max", "service p99")
    if width < _WIDTH_OF_ALL_COLUMNS:
        columns = ("requests", "errors", *quantiles, "service p99")
    if width < _WIDTH_OF_MOST_COLUMNS:
        columns = ("requests", "errors", *quantiles)
    if width < _WIDTH_OF_COUNTS:
        columns = ("errors", *quantiles)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("operation", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for measurement in load.operations.values():
        table.add_row(
            Text(printable(measurement.operation)), *_load_row(load, measurement, columns)
        )
    yield table
    service = "; service p99 is from the send" if "service p99" in columns else ""
    yield Text(f"times are response times, from the intended start{service}", style="dim")
    processes = load.generator.processes
    busiest = f" (busiest of {processes} processes)" if processes > 1 else ""
    facts = (
        f"{label} {figure}{busiest if label == GENERATOR_CPU else ''}"
        for label, figure, _ in load_facts(load)
    )
    yield Text(" · ".join(facts))
    for name, count, times in opening_times(load):
        yield Text(f"{name} {times} ({plural(count, 'connection')})")
    if load.conditions:
        yield Text(printable(" · ".join(load.conditions)))
    if lost := load_shortfall(load):
        yield Text(f"⊘ void: {printable(lost)}", style="bold yellow")
    if load.warm_up_s:
        yield Text(f"the first {load.warm_up_s} s are warm-up: measured, not judged", style="dim")
    if load.generator.saturated:
        yield Text(f"⊘ void: {printable(load.generator.saturated)}", style="bold yellow")
    elif load.generator.lagging:
        yield Text(f"! {printable(load.generator.lagging)}", style="yellow")
    for measurement in load.operations.values():
        if measurement.errors:
            yield Text(
                f"✗ {printable(measurement.operation)}: {error_text(measurement)}", style="red"
            )
    for sentence in load.script.sentences() if load.script is not None else ():
        yield Text(f"! {printable(sentence)}", style="yellow")
    for name, why in load.left_out.items():
        yield Text(f"! {printable(f'{name} was left out: {why}')}", style="yellow")
    memory = [each.rss_bytes for each in load.server_samples if each.rss_bytes is not None]
    if len(memory) > 1:
        yield Text(f"server memory {format_bytes(memory[0])} → {format_bytes(memory[-1])}")
    if load.probe_trouble is not None:
        yield Text(f"! {printable(load.probe_trouble)}", style="yellow")


def _load_row(
    load: LoadMeasurement, measurement: OperationMeasurement, columns: tuple[str, ...]
) -> list[Text]:
    seconds = load.duration_s or 1.0
    share = measurement.errors / measurement.requests if measurement.requests else 0.0
    cells = {
        "requests": format_count(measurement.requests),
        "rate": f"{measurement.requests / seconds:,.1f}/s",
        "errors": format_share(share),
        "max": time_text(measurement.response_time.maximum),
        "service p99": time_text(measurement.service_time.quantile(0.99)),
    }
    for quantile in QUANTILES:
        cells[quantile_name(quantile)] = time_text(measurement.response_time.quantile(quantile))
    style = {"errors": "red"} if measurement.errors else {}
    return [Text(cells[name], style=style.get(name, "")) for name in columns]


def coverage_table(results: Results, width: int) -> RenderableType:
    """How often each check had which outcome. What has nothing to look at is missing nothing, so
    it has no column, and a check that has nothing else has no row.
    """
    wide = width >= _WIDTH_OF_CHECK_NAMES
    states = [state for state in CoverageState if state is not CoverageState.NOT_APPLICABLE]
    idle = idle_checks(results)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    # Names in full as long as the headings can give way, which break between words.
    table.add_column("check", overflow="fold", no_wrap=wide, min_width=min(20, width // 3))
    for state in states:
        table.add_column(COVERAGE_WORD[state], justify="right")
    for check, counts in coverage_by_check(results).items():
        if check in idle:
            continue
        table.add_row(
            Text(printable(check)),
            *(
                Text(str(counts[state]), style=_COVERAGE_STYLE[state])
                if counts[state]
                else Text("·", style="dim")
                for state in states
            ),
        )
    if not idle:
        return table
    named = f"{plural(len(idle), 'check')} had nothing to look at: {printable(', '.join(idle))}"
    folded = Text(named, style="dim")
    return Group(table, folded) if table.row_count else folded


def untested(results: Results) -> list[Text]:
    """What was not tested and why: the scan's notes, then every reason with what it kept out."""
    if results.scan is None:
        return []
    said = [Text(f"! {printable(note)}", style="bold yellow") for note in notes(results)]
    return [*said, *(_gap(gap) for gap in gaps(results))]


def _gap(gap: Gap) -> Text:
    symbol = "?" if gap.state is CoverageState.INCONCLUSIVE else "-"
    return Text.assemble(
        (f"{symbol} {printable(gap.reason)}", "yellow"), (f"  {_where(gap)}", "dim")
    )


def _where(gap: Gap) -> str:
    checks = listed(gap.checks)
    return f"{checks}: {listed(gap.operations)}" if gap.operations else checks


def listed(names: tuple[str, ...]) -> str:
    """The first few names and how many more there are."""
    shown = ", ".join(printable(name) for name in names[:_LONGEST_LIST])
    more = len(names) - _LONGEST_LIST
    return f"{shown} and {more} more" if more > 0 else shown
