"""Results for a person at a terminal: the verdict first, then its reasons. Pure.

Nothing that the API sent is read as markup or as an escape sequence, and what was not tested is
as visible as what was.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from withstand.report import access_view, suite_view
from withstand.report.finding_text import cut
from withstand.report.headline import headline
from withstand.report.scan_wording import accepted_until, run_facts, upkeep
from withstand.report.terminal_stress import stress_tables
from withstand.report.terminal_tables import (
    Indented,
    coverage_table,
    drift_table,
    listed,
    load_tables,
    objectives_table,
    untested,
)
from withstand.report.terminal_trends import trend_tables
from withstand.report.terminal_trials import trial_tables
from withstand.report.trend_wording import series_text
from withstand.report.wording import (
    CONCLUSION_SYMBOL,
    CONCLUSION_WORD,
    load_shape,
    outcome,
    plural,
    printable,
    unnamed_sender,
)
from withstand.results import Conclusion, Results
from withstand.scan.finding import Evidence, Finding, Severity
from withstand.scan.records.record import ScanRecord
from withstand.sharding.suite import SuiteRecord
from withstand.slo.trend import Trend

_CONCLUSION_STYLE = {
    Conclusion.HELD: "bold green",
    Conclusion.MEASURED: "bold",
    Conclusion.UNDECIDED: "bold yellow",
    Conclusion.FAILED: "bold red",
    Conclusion.VOID: "bold yellow",
}
_SEVERITY_STYLE = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
    Severity.INFO: "bold",
}


def render(results: Results, console: Console, trends: Sequence[Trend] = ()) -> None:
    """Print the whole report. Colour and width are the console's. `trends` are those that the run
    continues, where a history is at hand.
    """
    _print_verdict(console, results)
    _print_facts(console, results)
    if results.scan is not None and results.scan.findings:
        _heading(console, "Findings", _findings_summary(results))
        for finding in results.findings():
            _print_finding(console, results, finding)
    if results.scan is not None and results.scan.suppressed:
        _heading(console, "Accepted", plural(len(results.scan.suppressed), "finding"))
        _print_suppressed(console, results.scan)
    if results.scan is not None and results.scan.known:
        known = plural(len(results.scan.known), "finding")
        _heading(console, "Known", f"{known} in {results.scan.baseline_file}")
        for finding in results.scan.known:
            _print_line(console, f"{finding.severity}: {_named(finding)}, {finding.fingerprint}")
    if results.suite is not None:
        _heading(console, "Tests", suite_view.summary(results.suite))
        _print_tests(console, results.suite)
    if lines := upkeep(results):
        _heading(console, "To look after")
        for line in lines:
            _print_line(console, line)
    if verdicts := results.verdicts():
        _heading(console, "Objectives")
        console.print(Indented(objectives_table(verdicts, console.width)), end="")
    if results.trials is not None:
        _heading(console, "Trials", "one request at a time")
        for part in trial_tables(results, results.trials):
            console.print(Indented(part), end="")
    if drifts := results.drifts():
        _heading(console, "Drift")
        console.print(Indented(drift_table(drifts)), end="")
    if (found := results.capacity()) is not None:
        _heading(console, "Sustainable rate")
        for part in stress_tables(results, found, console.width):
            console.print(Indented(part), end="")
    if results.load is not None:
        _heading(console, "Load", f"{load_shape(results.load)}, {results.load.model} model")
        for part in load_tables(results.load, console.width):
            console.print(Indented(part), end="")
    if trends:
        _heading(console, "History", series_text(trends[0].series))
        for part in trend_tables(trends, console.width):
            console.print(Indented(part), end="")
    if results.scan is not None and access_view.shown(results.scan):
        _heading(console, "Access", "who was served by which operation")
        for part in access_view.access_table(results.scan):
            console.print(Indented(part), end="")
    if results.scan is not None:
        _heading(console, "Coverage", _coverage_summary(results.scan))
        console.print(Indented(coverage_table(results, console.width)), end="")
        if gaps := untested(results):
            _heading(console, "Not tested")
            for gap in gaps:
                console.print(Indented(gap), end="")
    # Again, because a terminal shows the end.
    console.print()
    _print_verdict(console, results)


def _heading(console: Console, title: str, note: str = "") -> None:
    console.print()
    text = Text(title, style="bold")
    if note:
        text.append(f"  {printable(note)}", style="not bold")
    console.print(Rule(text, align="left", style="dim", characters="─"))


def _print_verdict(console: Console, results: Results) -> None:
    conclusion = results.conclusion()
    word = f"{CONCLUSION_SYMBOL[conclusion]} {CONCLUSION_WORD[conclusion].upper()}"
    console.print(
        Text.assemble((word, _CONCLUSION_STYLE[conclusion]), "  ", printable(headline(results)))
    )


def _print_facts(console: Console, results: Results) -> None:
    api = " ".join(part for part in (results.api_title, results.api_version) if part)
    facts = (results.base_url, api, results.config, f"Withstand {results.version}")
    text = " · ".join(printable(fact) for fact in facts if fact)
    console.print(Indented(Text(text, style="dim")), end="")
    for fact in run_facts(results):
        console.print(Indented(Text(printable(fact), style="dim")), end="")


def _coverage_summary(scan: ScanRecord) -> str:
    checks = len({cell.check for cell in scan.coverage})
    return (
        f"{plural(len(scan.operations), 'operation')}, {plural(checks, 'check')}, "
        f"{plural(scan.requests, 'request')}"
    )


def _findings_summary(results: Results) -> str:
    failing = len(results.failing_findings())
    others = len(results.findings()) - failing
    rest = f", {others} below the bar" if others else ""
    return f"{failing} at {results.fail_on} or worse{rest}"


def _print_suppressed(console: Console, scan: ScanRecord) -> None:
    for accepted in scan.suppressed:
        what = f"{accepted.finding.severity}: {_named(accepted.finding)}"
        _print_line(console, f"{what}: {accepted_until(accepted)}")


def _print_tests(console: Console, suite: SuiteRecord) -> None:
    shown = suite_view.rows(suite)
    for row in shown[: suite_view.MOST_ROWS]:
        _print_line(console, f"{'✗' if row.failed else '?'} {row.nodeid}: {row.said}")
    if (more := len(shown) - suite_view.MOST_ROWS) > 0:
        _print_line(console, f"and {more:,} more")


def _named(finding: Finding) -> str:
    return f"{finding.check} on {listed(finding.operations) or 'the whole API'}"


def _print_line(console: Console, text: str) -> None:
    console.print(Indented(Text(printable(text))), end="")


def _print_finding(console: Console, results: Results, finding: Finding) -> None:
    parameter = f"  parameter {printable(finding.parameter)}" if finding.parameter else ""
    console.print()
    console.print(
        Text.assemble(
            (f" {finding.severity.upper()} ", _SEVERITY_STYLE[finding.severity]),
            (f" {printable(finding.title)}", "bold"),
        )
    )
    lines = [
        Text(f"{listed(finding.operations)}{parameter}"),
        Text(f"{finding.check}, {_sureness(results, finding)}", style="dim"),
        Text(printable(finding.detail)),
        *(_evidence(proof) for proof in finding.evidence),
    ]
    for line in lines:
        console.print(Indented(line), end="")
    if curl := finding.proof.curl if finding.proof else "":
        # Unwrapped, so that it can be copied as one line.
        console.print(Text(f"  $ {printable(curl)}", style="cyan"), soft_wrap=True)
    remedy = Text.assemble(("Fix: ", "bold"), printable(finding.remedy))
    console.print(Indented(remedy), end="")


def _sureness(results: Results, finding: Finding) -> str:
    if results.fails(finding):
        return f"{finding.confidence}, {finding.fingerprint}"
    return f"{finding.confidence}, {finding.fingerprint}, does not fail the run"


def _evidence(proof: Evidence) -> Text:
    request = proof.exchange.request
    name = unnamed_sender(proof)
    who = f" as {name}" if name else ""
    text = Text.assemble(("→ ", "dim"), printable(f"{proof.caption}{who}: "))
    text.append(printable(cut(f"{request.method} {request.path}", 100)), style="bold")
    text.append(f" → {printable(outcome(proof.exchange))}")
    if proof.highlight:
        text.append(", proof: ")
        text.append(printable(cut(proof.highlight, 120)), style="bold red")
    return text
