"""What an objective counts in a stretch of seconds, and what that says of it. Pure.

"p99 below 300 ms over 10 s" promises that no ten seconds of this run break the limit, wherever
they begin. As with `max`, that is a statement about requests that were all seen, not an estimate of
what others would show: it is counted, and what can be unsure about it is

- how few requests there are: one slow request among 20 is 5 %, and says nothing of a p99. A limit
  that allows a share of 1 % can be told from 100 requests on; with fewer, one bad request leaves
  the stretch undecided, and two break it, as they would be too many even among 100;
- the generator's own lateness: what was served within the limit, and would have been within it but
  for the largest send lag, cannot be held against the target;
- requests of a run under way that have no end yet: all of them may belong here and end well.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.window import Window
from withstand.slo.objective import Indicator, Objective
from withstand.slo.operation_verdict import slower, total_ns
from withstand.slo.verdict import VerdictState

_ROUNDING: Final = 1e-9  # 1 - 0.99 is 0.010000000000000009


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one objective needs of a window, or of several. Rows add up.

    `bad` requests count against a limit on a share: slow ones and errors for a latency, errors
    else. `proven` of them do so whatever the generator's lateness, and `proven_ns` is what is
    left of the total of response times without it. An error took at least as long as the limit.
    """

    requests: int = 0
    errors: int = 0
    bad: int = 0
    proven: int = 0
    total_ns: float = 0.0
    proven_ns: float = 0.0

    def __add__(self, other: "Row") -> "Row":
        return Row(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            bad=self.bad + other.bad,
            proven=self.proven + other.proven,
            total_ns=self.total_ns + other.total_ns,
            proven_ns=self.proven_ns + other.proven_ns,
        )

    def __sub__(self, other: "Row") -> "Row":
        return Row(
            requests=self.requests - other.requests,
            errors=self.errors - other.errors,
            bad=self.bad - other.bad,
            proven=self.proven - other.proven,
            total_ns=self.total_ns - other.total_ns,
            proven_ns=self.proven_ns - other.proven_ns,
        )

    @property
    def good(self) -> int:
        """Requests that came to a good end."""
        return self.requests - self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The seconds of a run from `start_s` up to `end_s`, and what they amount to."""

    start_s: int
    end_s: int
    row: Row


def row_of(objective: Objective, window: Window, *, send_lag_ns: int) -> Row:
    """A window's row; `send_lag_ns` is the largest lag that any of its requests may have had."""
    requests, errors = window.requests, window.errors
    if not objective.is_latency:
        own = window.failures.get(FailureKind.EXHAUSTED, 0)  # of the generator, not the target
        return Row(requests=requests, errors=errors, bad=errors, proven=errors - own)
    limit = objective.limit
    if objective.indicator is Indicator.AVERAGE:
        total = total_ns(window, limit)
        return Row(
            requests=requests,
            errors=errors,
            total_ns=total,
            proven_ns=max(total - send_lag_ns * requests, window.service_time.total),
        )
    bad = slower(window, limit)
    if not bad:
        return Row(requests=requests, errors=errors)
    served = min(window.service_time.count_above(limit) + errors, bad)
    proven = max(slower(window, limit + send_lag_ns), served)
    return Row(requests=requests, errors=errors, bad=bad, proven=proven)


def stretches(
    rows: Mapping[int, Row], *, over_s: int, width_s: int, start_s: int, end_s: int
) -> Iterator[Stretch]:
    """Every stretch of `over_s` between two seconds of the run.

    Rows are those of windows of `width_s` by their first second; all numbers are multiples of it.
    """
    if end_s - start_s < over_s:
        return
    sums = [Row()]
    for second in range(start_s, end_s, width_s):
        row = rows.get(second)
        sums.append(sums[-1] if row is None else sums[-1] + row)
    length = over_s // width_s
    for index in range(len(sums) - length):
        begun_s = start_s + index * width_s
        yield Stretch(
            start_s=begun_s, end_s=begun_s + over_s, row=sums[index + length] - sums[index]
        )


def said(
    objective: Objective, row: Row, *, seconds: int, model: str, pending: int = 0
) -> VerdictState:
    """What so many seconds say of an objective. `pending` requests may belong to them as well."""
    if objective.indicator is Indicator.RATE:
        return _rate_said(objective, row, seconds=seconds, model=model, pending=pending)
    if objective.indicator is Indicator.AVERAGE:
        if row.total_ns <= objective.limit * row.requests:
            return VerdictState.MET
        proven = row.proven_ns > objective.limit * (row.requests + pending)
        return VerdictState.BREACHED if proven else VerdictState.INCONCLUSIVE
    if row.bad <= most_bad(objective, row.requests):
        return VerdictState.MET
    enough = max(row.requests + pending, least_requests(objective))
    proven = row.proven > most_bad(objective, enough)
    return VerdictState.BREACHED if proven else VerdictState.INCONCLUSIVE


def most_bad(objective: Objective, requests: int) -> int:
    """How many of so many requests may be slower than the limit, or errors."""
    return math.floor(allowed_share(objective) * requests + _ROUNDING)


def least_requests(objective: Objective) -> int:
    """How many requests it takes for one that is bad to be allowed: 100 for a p99."""
    allowed = allowed_share(objective)
    return math.ceil(1 / allowed - _ROUNDING) if allowed else 0


def allowed_share(objective: Objective) -> float:
    """The share of requests that may be slower than the limit, or errors."""
    match objective.indicator:
        case Indicator.QUANTILE:
            return 1 - (objective.quantile or 0.0)
        case Indicator.ERRORS:
            return objective.limit
        case _:
            return 0.0


def _rate_said(
    objective: Objective, row: Row, *, seconds: int, model: str, pending: int
) -> VerdictState:
    # As over a whole run: the last interval of a schedule has no second end.
    wanted = objective.limit * seconds - 1
    if row.good >= wanted:
        return VerdictState.MET
    if model == "open" and row.requests + pending < wanted:
        return VerdictState.INCONCLUSIVE  # that much was never offered
    proven = row.good + pending < wanted
    return VerdictState.BREACHED if proven else VerdictState.INCONCLUSIVE
