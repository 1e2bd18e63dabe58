"""One section in the terminal summary, only when something of Withstand ran."""

from typing import TYPE_CHECKING

import pytest

from withstand.pytest_plugin.isolation import contended
from withstand.pytest_plugin.run_record import RUN, RunRecord
from withstand.pytest_plugin.worker_link import worker_name

if TYPE_CHECKING:
    from withstand.pytest_plugin.division import Division

_BUSY = "ran while another worker was busy"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints the section; nothing in a worker, and nothing under --collect-only."""
    if worker_name(config) is not None or config.getoption("collectonly"):
        return
    lines = summary_lines(config.stash[RUN])
    if lines:
        terminalreporter.section("withstand")
        for line in lines:
            terminalreporter.write_line(line)


def shard_line(division: "Division") -> str:
    """`shard 2/4: kept 75 of 300, expected 41 s; the slowest shard 44 s`."""
    line = f"shard {division.shard}: kept {len(division.kept)} of {len(division.collected)}"
    if not division.expected_ms:
        return line
    from withstand.units import format_duration_ns

    here, slowest = (
        format_duration_ns(ms * 1_000_000)
        for ms in (division.expected_ms[division.shard.number - 1], max(division.expected_ms))
    )
    return f"{line}, expected {here}; the slowest shard {slowest}"


def summary_lines(run: RunRecord) -> list[str]:
    """What there is to say about a run."""
    lines: list[str] = []
    if run.shard is not None and run.division is not None:
        lines.append(shard_line(run.division))
    if run.logins:
        names = ", ".join(f"{name} ({role})" for name, role in sorted(run.logins.items()))
        lines.append(f"logged in: {names}")
    if run.void is not None:
        lines.append(f"the scan is void: {run.void}")
    lines += run.facts
    lines += [f"note: {note}" for note in run.notes]
    disturbed = frozenset(contended(run.spans))
    for span in run.spans:
        tag = f"; {_BUSY}" if span in disturbed else ""
        lines += [f"{state}: {span.nodeid}: {sentence}{tag}" for state, sentence in span.verdicts]
        if tag and not span.verdicts:
            lines.append(f"disturbed: {span.nodeid} {_BUSY}")
    if disturbed:
        total = sum(span.timed for span in run.spans)
        lines.append(
            f"performance tests: {len(disturbed)} of {total} {_BUSY}; "
            "run them with -m performance -n0 for latencies of their own"
        )
    return lines
