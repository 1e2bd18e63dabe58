"""What the reports show of a search for the sustainable rate: its steps, and in words. Pure."""

from dataclasses import dataclass

from withstand.results import Results
from withstand.slo import Indicator, Objective, Verdict, VerdictState
from withstand.slo.capacity import Capacity
from withstand.slo.capacity_text import rate_text
from withstand.slo.step_verdict import StepVerdict
from withstand.stats.capacity import End, Purpose, StepState
from withstand.units import format_share

STEP_SYMBOL = {
    StepState.MET: "✓",
    StepState.BREACHED: "✗",
    StepState.INCONCLUSIVE: "?",
    StepState.VOID: "⊘",
}
_PURPOSE = {
    Purpose.RAMP: "",
    Purpose.NARROW: "",
    Purpose.HOLD: "hold",
    Purpose.BREAK: "to break it",
}
_END = {
    End.FOUND: "",
    End.UNATTAINABLE: "The objectives are breached at the lowest rates, too.",
    End.UNDECIDABLE: "Lower rates could not be decided: there, too, the objectives are too close "
    "to what is seen, or the requests too few.",
    End.GENERATOR: "The search ended where the generator could not send more.",
    End.BUDGET: "The search ended because its time was used up; --max-time gives it more.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of the table. `quantile_ns` is that of the slowest operation; None without one."""

    rate_per_s: float
    state: StepState
    answered_per_s: float
    quantile_ns: int | None
    error_share: float
    requests: int
    seconds: int
    note: str

    @property
    def rate(self) -> str:
        """The rate as people read it."""
        return rate_text(self.rate_per_s)


def shown_quantile(objectives: tuple[Objective, ...]) -> Objective | None:
    """The promise on a quantile that the reports draw: the first for everything, else the first."""
    quantiles = [each for each in objectives if each.indicator is Indicator.QUANTILE]
    whole = [each for each in quantiles if each.operation == "*"]
    return next(iter((*whole, *quantiles)), None)


def step_rows(results: Results, found: Capacity) -> list[StepRow]:
    """The steps by rate, in the order taken where two have the same."""
    promise = shown_quantile(results.objectives)
    quantile = promise.quantile if promise is not None and promise.quantile else 0.95
    return sorted((_row(each, quantile) for each in found.steps), key=lambda row: row.rate_per_s)


def quantile_heading(results: Results) -> str:
    """What the column of the quantile is called."""
    promise = shown_quantile(results.objectives)
    return promise.name if promise is not None else "p95"


def facts(found: Capacity) -> list[tuple[str, str, str]]:
    """What was found: label, figure, what it means."""
    sustained, broken = found.sustainable_per_s, found.breaking
    highest = max((each.step.rate_per_s for each in found.steps), default=None)
    most = found.most_answered_per_s
    limits = dict.fromkeys(each.objective.text for each in found.limiting)
    return [
        (
            "Sustainable rate",
            "-" if sustained is None else rate_text(sustained),
            "the highest at which every objective was met, and met again for longer",
        ),
        ("Limit", _limit(found), "where the true limit lies"),
        ("Limited by", ", ".join(limits) or "-", "what is breached first"),
        (
            "Breaks at",
            "-" if broken is None else rate_text(broken.step.rate_per_s),
            f"{broken.broken}"
            if broken is not None
            else f"neither errors nor collapse up to {rate_text(highest)}"
            if highest is not None
            else "",
        ),
        (
            "Most answered",
            "-" if most is None else rate_text(most),
            "good answers a second, at any rate",
        ),
    ]


def _limit(found: Capacity) -> str:
    """The bracket as figures: `345/s to 377/s`, `above 345/s`."""
    low, high = found.bracket.low_per_s, found.bracket.high_per_s
    if low is None:
        return "-" if high is None else f"below {rate_text(high)}"
    return f"above {rate_text(low)}" if high is None else f"{rate_text(low)} to {rate_text(high)}"


def remarks(found: Capacity) -> list[str]:
    """What else has to be said of a search: how it ended, and what its users' sweep gave."""
    said = (
        [_END[found.end]] if found.end is not None else ["The search was stopped before its end."]
    )
    if found.lost is not None:
        said.append(f"The API did not answer any more: {found.lost}.")
    law = found.scalability
    if law is not None:
        said.append(
            f"Universal scalability law: sigma {law.sigma.value:.3g} ({law.sigma.low:.3g} to "
            f"{law.sigma.high:.3g}), kappa {law.kappa.value:.2g} ({law.kappa.low:.2g} to "
            f"{law.kappa.high:.2g}); the points scatter by {format_share(law.scatter)} about it"
            + (f", their repetitions by {format_share(law.noise)}." if law.noise else ".")
        )
        if law.peak_users is not None:
            peak = rate_text(law.throughput_per_s(law.peak_users))
            said.append(f"Throughput peaks at about {law.peak_users:.3g} users, with {peak}.")
        else:
            said.append(f"No peak is given: {law.withheld}.")
    return [each for each in said if each]


def step_text(verdict: StepVerdict) -> str:
    """A step in one line, as it was judged."""
    row = _row(verdict, 0.95)
    note = f": {row.note}" if row.note else ""
    return f"{STEP_SYMBOL[row.state]} {row.rate} {row.state.value} after {row.seconds} s{note}"


def _row(verdict: StepVerdict, quantile: float) -> StepRow:
    step = verdict.step
    operations = verdict.run.operations.values()
    requests = sum(each.requests for each in operations)
    quantiles = (each.response_time.quantile(quantile) for each in operations)
    return StepRow(
        rate_per_s=step.rate_per_s,
        state=verdict.state,
        answered_per_s=step.throughput_per_s,
        quantile_ns=max((each for each in quantiles if each is not None), default=None),
        error_share=sum(each.errors for each in operations) / requests if requests else 0.0,
        requests=requests,
        seconds=step.windows,
        note="; ".join(_notes(verdict)),
    )


def _notes(verdict: StepVerdict) -> list[str]:
    notes = [_PURPOSE[verdict.step.purpose]]
    if verdict.void is not None:
        notes.append(f"void: {verdict.void}")
    elif verdict.state is not StepState.MET:
        worst = [each for each in verdict.verdicts if each.state is not VerdictState.MET]
        notes.append(_most_urgent(worst))
    if verdict.broken is not None:
        notes.append(verdict.broken)
    return [note for note in notes if note]


def _most_urgent(verdicts: list[Verdict]) -> str:
    """The first breach in short, else the first objective that could not be told."""
    for wanted in (VerdictState.BREACHED, VerdictState.INCONCLUSIVE):
        for verdict in verdicts:
            if verdict.state is wanted:
                undecided = "" if wanted is VerdictState.BREACHED else " undecided"
                on = f" on {verdict.operation}" if len({v.operation for v in verdicts}) > 1 else ""
                return f"{verdict.objective.text}{on}{undecided}"
    return ""
