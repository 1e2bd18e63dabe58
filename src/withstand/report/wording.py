"""How values and verdicts read in every report, whatever its format. Pure."""

import unicodedata
from collections.abc import Iterable

from withstand.client.exchange import Exchange, Response
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.results import Conclusion
from withstand.scan.finding import Evidence
from withstand.scan.records.record import CoverageState
from withstand.slo import DriftVerdict, Indicator, Verdict, VerdictState, format_value
from withstand.stats.drift import Movement
from withstand.stats.histogram import merged
from withstand.units import format_count, format_duration_ns, format_share

CONCLUSION_WORD = {
    Conclusion.HELD: "Held",
    Conclusion.MEASURED: "Measured",
    Conclusion.UNDECIDED: "Undecided",
    Conclusion.FAILED: "Failed",
    Conclusion.VOID: "Void",
}
CONCLUSION_SYMBOL = {
    Conclusion.HELD: "✓",
    Conclusion.MEASURED: "●",
    Conclusion.UNDECIDED: "?",
    Conclusion.FAILED: "✗",
    Conclusion.VOID: "⊘",
}
VERDICT_SYMBOL = {
    VerdictState.MET: "✓",
    VerdictState.BREACHED: "✗",
    VerdictState.INCONCLUSIVE: "?",
}
MOVEMENT_SYMBOL = {Movement.STEADY: "✓", Movement.GROWS: "✗", Movement.UNDECIDED: "?"}
MOVEMENT_WORD = {
    Movement.STEADY: "steady",
    Movement.GROWS: "drifts",
    Movement.UNDECIDED: "undecided",
}
# Coloured like the verdicts on objectives.
MOVEMENT_CLASS = {
    Movement.STEADY: VerdictState.MET.value,
    Movement.GROWS: VerdictState.BREACHED.value,
    Movement.UNDECIDED: VerdictState.INCONCLUSIVE.value,
}
COVERAGE_WORD = {
    CoverageState.PASSED: "passed",
    CoverageState.FAILED: "failed",
    CoverageState.INCONCLUSIVE: "could not tell",
    CoverageState.SKIPPED: "skipped",
    CoverageState.NOT_APPLICABLE: "not applicable",
}
GENERATOR_CPU = "generator CPU"
QUANTILES = (0.5, 0.95, 0.99)


def printable(text: str) -> str:
    """The text with everything invisible made visible, so that what a server sent can neither
    steer a terminal (escape sequences) nor reorder what is read (bidirectional controls)."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE else _visible(char)
        for char in text
    )


def load_shape(load: LoadMeasurement) -> str:
    """The shape of the load, and which shards of it were measured."""
    if not load.shards:
        return load.profile
    if not load.missing_shards:
        return f"{load.profile} in {plural(len(load.shards), 'shard')}"
    return f"{load.profile}, of which shard {', '.join(map(str, load.shards))}"


def quantile_name(quantile: float) -> str:
    """`p95` of 0.95, `p99.9` of 0.999."""
    return f"p{quantile * 100:.6g}"


def by_urgency(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """What is breached first, then what could not be told, then what is met."""
    return sorted(verdicts, key=lambda verdict: _URGENCY.index(verdict.state))


_URGENCY = (VerdictState.BREACHED, VerdictState.INCONCLUSIVE, VerdictState.MET)


def drifts_by_urgency(drifts: Iterable[DriftVerdict]) -> list[DriftVerdict]:
    """What drifts first, then what is undecided, then what is steady."""
    order = (Movement.GROWS, Movement.UNDECIDED, Movement.STEADY)
    return sorted(drifts, key=lambda drift: order.index(drift.movement))


def observation(verdict: Verdict) -> str:
    """What was seen: `p95 = 148 ms (143 ms to 153 ms, 1,203 requests)`, in trials also how long
    they took.
    """
    memory = verdict.objective.indicator is Indicator.MEMORY_GROWTH
    requests = plural(verdict.samples, "sample" if memory else "request")
    if verdict.observed is None and verdict.stretch is not None:
        start_s, end_s = verdict.stretch
        return f"{verdict.objective.name} is an error from {start_s} s to {end_s} s ({requests})"
    if verdict.observed is None and verdict.samples and verdict.objective.is_latency:
        return f"{verdict.objective.name} is an error ({requests})"
    if verdict.observed is None:
        return f"nothing observed ({requests})"
    seen = f"{verdict.objective.name} = {format_value(verdict.observed, verdict.unit)}"
    if verdict.stretch is not None:
        start_s, end_s = verdict.stretch
        seen += f" from {start_s} s to {end_s} s, the worst"
    # What the figure rests on: the interval, the requests, and how long these took in a trial.
    rests_on = [format_interval(verdict), requests]
    if verdict.spent_s is not None:
        rests_on.append(format_duration_ns(verdict.spent_s * 1e9))
    return f"{seen} ({', '.join(part for part in rests_on if part)})"


def format_interval(verdict: Verdict) -> str:
    """The verdict's interval; empty without one."""
    low, high = verdict.interval or (None, None)
    if low is not None and high is not None:
        return f"{format_value(low, verdict.unit)} to {format_value(high, verdict.unit)}"
    if low is not None:
        return f"at least {format_value(low, verdict.unit)}"
    return f"at most {format_value(high, verdict.unit)}" if high is not None else ""


def outcome(exchange: Exchange) -> str:
    """What became of a request: `200 OK in 12.3 ms`, `refused: …`."""
    took = format_duration_ns(exchange.timing.service_time_ns)
    if isinstance(exchange.outcome, Response):
        return f"{exchange.outcome.status} {exchange.outcome.reason}".rstrip() + f" in {took}"
    return f"{exchange.outcome} after {took}"


def unnamed_sender(item: Evidence) -> str | None:
    """Who sent what is shown; None for nobody, and where the caption names them already."""
    name = item.exchange.identity
    return None if name in item.caption.split() else name


def plural(number: int, noun: str) -> str:
    """`1 request`, `1,203 requests`."""
    return f"{format_count(number)} {noun}" if number == 1 else f"{format_count(number)} {noun}s"


def error_text(measurement: OperationMeasurement) -> str:
    """What went wrong in an operation's requests: `12 timed-out, 3 with an unexpected status`."""
    parts = [f"{format_count(count)} {kind}" for kind, count in measurement.failures.items()]
    by_status = measurement.unexpected - sum(measurement.rejected.values())
    if by_status:
        statuses = [status for status in sorted(measurement.statuses) if status >= 400]
        seen = f" ({', '.join(map(str, statuses))})" if statuses else ""
        parts.append(f"{format_count(by_status)} with an unexpected status{seen}")
    parts += [
        f"{format_count(count)} rejected: {why}" for why, count in measurement.rejected.items()
    ]
    return ", ".join(parts)


def opening_times(load: LoadMeasurement) -> tuple[tuple[str, int, str], ...]:
    """How long connections took to open: what, how many, `p50 … · p99 …`; empty without any."""
    operations = load.operations.values()
    phases = (
        ("connect", merged(each.connect for each in operations)),
        ("TLS handshake", merged(each.tls for each in operations)),
    )
    return tuple(
        (name, times.count, f"p50 {format_duration_ns(p50)} · p99 {format_duration_ns(p99)}")
        for name, times in phases
        if (p50 := times.quantile(0.5)) is not None and (p99 := times.quantile(0.99)) is not None
    )


def load_facts(load: LoadMeasurement) -> list[tuple[str, str, str]]:
    """Whether the generator did what it was asked: label, figure, what it means."""
    health = load.generator
    lag, pauses = health.send_lag, health.gc_pauses
    processes = (
        "one process" if health.processes == 1 else f"busiest of {health.processes} processes"
    )
    facts = [
        ("offered", format_count(load.offered), "requests that were due"),
        ("sent", format_count(load.sent), "went out"),
        ("late", format_count(load.late), "waited for a connection, clock running"),
        ("unanswered", format_count(load.unanswered), "had no end when the run stopped"),
        (
            "send lag",
            f"p50 {time_text(lag.quantile(0.5))}, p99 {time_text(lag.quantile(0.99))}, "
            f"max {time_text(lag.maximum)}"
            if lag.count
            else "-",
            "between intended start and send",
        ),
        (GENERATOR_CPU, format_share(health.cpu_share), f"of one core, {processes}"),
        (
            "GC pauses",
            f"{format_count(pauses.count)}, max {time_text(pauses.maximum)}"
            if pauses.count
            else "0",
            "the generator's garbage collector",
        ),
    ]
    if health.descriptors is not None:
        limit = health.descriptor_limit
        of = "" if limit is None else f" of {format_count(limit)}"
        facts.append(("descriptors", format_count(health.descriptors) + of, "open at the most"))
    return facts


def time_text(value_ns: float | None) -> str:
    """A time, or a dash where there is none."""
    return "-" if value_ns is None else format_duration_ns(value_ns)


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _visible(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
