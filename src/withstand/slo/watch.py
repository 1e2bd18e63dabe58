"""Objectives while the run goes on: what they look like, and whether one is broken for good. Pure.

A watch takes the snapshots that a run reports (see `withstand.load.journal`). It keeps a few
numbers for each window, not the windows. A promise
about stretches, a maximum and `errors=0` are broken by the first stretch or request that breaks
them; a promise about the whole by `withstand.slo.interim`. The rate of the whole run and the growth
of memory are known at its end only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.slo.interim import look_at, surely_broken
from withstand.slo.judgement import applicable
from withstand.slo.objective import WHOLE_RUN, Indicator, Objective, format_value
from withstand.slo.stretch import Row, allowed_share, row_of, said, stretches
from withstand.slo.verdict import VerdictState
from withstand.units import format_count, format_share


class Standing(StrEnum):
    """How an objective stands while the run goes on. Only `BREACHED` is a judgement."""

    TOO_EARLY = "too early"
    MET_SO_FAR = "met so far"
    NOT_MET_SO_FAR = "not met so far"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One objective on one operation (`*`: the run). `note` says what it rests on."""

    objective: Objective
    operation: str
    standing: Standing
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """Where the run is: seconds that are over, and requests that have no end yet."""

    elapsed_s: float
    pending: int
    model: str


class Watch:
    """Over the objectives of one run, whose first `warm_up_s` seconds are not judged.

    `abort` is set from `delay_s` on, once an objective is breached: the sentence that says so.
    """

    def __init__(
        self, objectives: Sequence[Objective], *, warm_up_s: int = 0, delay_s: float = 0.0
    ) -> None:
        kept = tuple(dict.fromkeys(objectives))
        self._single = [each for each in kept if not each.whole_run]
        self._rates = [each for each in kept if each.indicator is Indicator.RATE and each.whole_run]
        self._warm_up_s = warm_up_s
        self._delay_s = delay_s
        self._followed: dict[tuple[Objective, str], _Followed] = {}
        self._newest: LoadMeasurement | None = None
        self.abort: str | None = None

    def take(self, snapshot: LoadMeasurement) -> Iterator[None]:
        """Take in the next snapshot, in steps of well under 1 ms each.

        Run it to its end; between two steps the engine's loop can send requests.
        """
        self._newest = snapshot
        lag_ns = snapshot.generator.send_lag.maximum or 0
        for name, operation in snapshot.operations.items():
            for objective in self._on(name):
                followed = self._follow(objective, name)
                yield from followed.take(operation, name, lag_ns=lag_ns)
            for objective in self._rates:
                followed = self._follow(objective, WHOLE_RUN)
                yield from followed.take(operation, name, lag_ns=lag_ns)
        clock = _clock(snapshot)
        for followed in self._followed.values():
            followed.look(clock)
            yield
        if self.abort is None and clock.elapsed_s >= self._delay_s:
            broken = (
                f"{each.promise} is broken: {each.breach}"
                for each in self._followed.values()
                if each.breach is not None and not _excused(each.objective, snapshot.generator)
            )
            self.abort = next(broken, None)

    @property
    def outlooks(self) -> tuple[Outlook, ...]:
        """How every objective stands on every operation that it covers, of which there is news."""
        if self._newest is None:
            return ()
        clock = _clock(self._newest)
        return tuple(each.outlook(clock) for each in self._followed.values())

    def _on(self, operation: str) -> list[Objective]:
        return list(applicable(self._single, operation))

    def _follow(self, objective: Objective, operation: str) -> "_Followed":
        key = (objective, operation)
        if key not in self._followed:
            self._followed[key] = _Followed(objective, operation, self._warm_up_s)
        return self._followed[key]


def _clock(snapshot: LoadMeasurement) -> _Clock:
    return _Clock(elapsed_s=snapshot.duration_s, pending=snapshot.unanswered, model=snapshot.model)


class _Followed:
    """One objective on one operation: its rows by second, and what was looked at already."""

    def __init__(self, objective: Objective, operation: str, warm_up_s: int) -> None:
        self.objective = objective
        self.operation = operation
        self.breach: str | None = None
        self._first_s = warm_up_s
        self._width_s = 1
        self._rows: dict[int, Row] = {}
        self._parts: dict[tuple[str, int], Row] = {}
        self._whole = Row()
        self._news_s: int | None = None  # the earliest second that changed since the last look
        self._over_s = 0  # up to where windows were over at the last look
        self._looked_at = 0
        self._worst: VerdictState | None = None

    def take(self, operation: OperationMeasurement, source: str, *, lag_ns: int) -> Iterator[None]:
        """Put the changed windows of an operation in the place of what they were."""
        for window in operation.windows:
            if window.second < self._first_s:
                continue
            self._width_s = window.width_s
            key = (source, window.second)
            row = row_of(self.objective, window, send_lag_ns=lag_ns)
            change = row - self._parts.get(key, Row())
            self._parts[key] = row
            self._rows[window.second] = self._rows.get(window.second, Row()) + change
            self._whole += change
            if self._news_s is None or window.second < self._news_s:
                self._news_s = window.second
            yield

    def look(self, clock: _Clock) -> None:
        """Whether what is over by now breaks the objective."""
        over_s = int(clock.elapsed_s) // self._width_s * self._width_s
        if self.objective.over_s is not None:
            self._look_at_stretches(self.objective.over_s, over_s, clock)
        elif self.objective.indicator is Indicator.MAXIMUM or not _estimated(self.objective):
            self._look_at_every_request()
        elif self.objective.indicator is not Indicator.RATE:
            self._look_at_whole(over_s, clock)
        self._news_s, self._over_s = None, over_s

    def _look_at_stretches(self, length_s: int, over_s: int, clock: _Clock) -> None:
        if length_s % self._width_s:
            return
        changed_s = self._over_s if self._news_s is None else min(self._news_s, self._over_s)
        first_s = max(self._first_s, changed_s - length_s + self._width_s)
        for each in stretches(
            self._rows,
            over_s=length_s,
            width_s=self._width_s,
            start_s=-(-first_s // self._width_s) * self._width_s,
            end_s=over_s,
        ):
            if not each.row.requests and self.objective.indicator is not Indicator.RATE:
                continue
            state = said(
                self.objective,
                each.row,
                seconds=length_s,
                model=clock.model,
                pending=clock.pending,
            )
            if self._worst is None or state is not VerdictState.MET:
                self._worst = state
            if state is VerdictState.BREACHED and self.breach is None:
                where = f"from {each.start_s} s to {each.end_s} s"
                self.breach = f"{where} {self._seen(each.row, length_s)}"

    def _look_at_every_request(self) -> None:
        if self._whole.proven and self.breach is None:
            self.breach = self._seen(self._whole, 0)

    def _look_at_whole(self, over_s: int, clock: _Clock) -> None:
        # Every second that passed is looked at in turn: a slow snapshot must not skip a look.
        count = max(over_s - self._first_s, 0) // self._width_s
        for windows in range(self._looked_at + 1, count + 1):
            look = look_at(windows)
            if look is None or self.breach is not None:
                continue
            seconds = range(self._first_s, self._first_s + windows * self._width_s, self._width_s)
            rows = [self._rows.get(second, Row()) for second in seconds]
            if surely_broken(self.objective, rows, look=look, pending=clock.pending):
                seen = self._seen(sum(rows, start=Row()), windows * self._width_s)
                self.breach = f"in {seconds.stop} s {seen}"
        self._looked_at = max(count, self._looked_at)

    def outlook(self, clock: _Clock) -> Outlook:
        """How it stands."""
        seconds = clock.elapsed_s - self._first_s
        return Outlook(
            objective=self.objective,
            operation=self.operation,
            standing=self._standing(seconds, clock),
            note=self.breach or (self._seen(self._whole, seconds) if self._whole.requests else ""),
        )

    def _standing(self, seconds: float, clock: _Clock) -> Standing:
        if self.breach is not None:
            return Standing.BREACHED
        if self.objective.over_s is not None:
            state = self._worst
        elif not self._whole.requests or seconds < self._width_s:
            state = None
        elif self.objective.indicator is Indicator.RATE:
            wanted = self.objective.limit * int(seconds) - 1
            enough = self._whole.good + clock.pending >= wanted
            state = VerdictState.MET if enough else VerdictState.INCONCLUSIVE
        else:
            state = said(self.objective, self._whole, seconds=int(seconds), model=clock.model)
        if state is None:
            return Standing.TOO_EARLY
        return Standing.MET_SO_FAR if state is VerdictState.MET else Standing.NOT_MET_SO_FAR

    @property
    def promise(self) -> str:
        """The objective and what it is on."""
        of = "" if self.operation == WHOLE_RUN else f" of {self.operation}"
        return f"{self.objective.text}{of}"

    def _seen(self, row: Row, seconds: float) -> str:
        objective, count = self.objective, format_count(row.requests)
        match objective.indicator:
            case Indicator.RATE:
                return f"{row.good / seconds:.4g}/s came to a good end" if seconds > 0 else ""
            case Indicator.AVERAGE:
                took = format_value(row.total_ns / row.requests, objective.unit)
                return f"{count} requests took {took} on average"
            case Indicator.ERRORS:
                what = "were errors"
            case _:
                what = f"were errors or slower than {format_value(objective.limit, objective.unit)}"
        allowed = allowed_share(objective)
        may = f"{format_share(allowed)} may" if allowed else "none may"
        share = format_share(row.bad / row.requests)
        return f"{share} of {count} requests {what}, {may}"


def _excused(objective: Objective, generator: GeneratorHealth) -> bool:
    """Whether what broke the objective may be the generator's doing."""
    if objective.indicator is Indicator.RATE and generator.lost is not None:
        return True
    return generator.saturated is not None and objective.indicator is not Indicator.ERRORS


def _estimated(objective: Objective) -> bool:
    """Whether it is a statement about the service, and not about this run's requests."""
    return objective.indicator is not Indicator.ERRORS or objective.limit > 0
