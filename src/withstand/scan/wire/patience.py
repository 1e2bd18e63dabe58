"""How long a busy target is waited for, and how fast it is asked afterwards. Pure.

A scan that runs into a rate limit slows down rather than gives up: it waits as long as the target
says, and from then on keeps to the pace that the limit allows. A limit on one thing only, such as
failed logins, is nothing to wait for: what else there is to ask is not held up by it.
"""

import datetime
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from withstand.client.exchange import Exchange, Failure, FailureKind, Response

NOISY_STATUSES: Final = frozenset({429, 502, 503, 504})
SHORT_WAIT_S: Final = 12.0  # for one request, in several pauses, without asking who else must wait
PROMPT_S: Final = 1.0  # in which who is not held up answers
LONGEST_WAIT_S: Final = 65.0  # for one request: limits count in seconds or in minutes
_FIRST_BACK_OFF_S: Final = 0.5
_MOST_BACK_OFFS: Final = 5  # each twice as long as the one before: 15.5 s in all
_LONGEST_GAP_S: Final = 2.0
_REQUESTS_THAT_TELL: Final = 5  # fewer between two refusals say nothing of the limit
_REQUESTS_TO_HURRY: Final = 50  # that were served without a refusal, before the gap is halved
_REPEATED_FAILURES: Final = 4  # in one place, after which a failed request is not tried again
_MOST_HANGS: Final = 3  # timeouts in one place, after which nothing is asked there any more
_HANGS_IN_ALL: Final = 12  # from so many on, one in a place is enough
_EPOCH_FROM_S: Final = 1e9  # a reset so late is a Unix time, not a number of seconds


def is_noise(exchange: Exchange) -> bool:
    """Whether the outcome says nothing about the API's logic: busy, gateway or network trouble."""
    return isinstance(exchange.outcome, Failure) or exchange.outcome.status in NOISY_STATUSES


def too_large(exchange: Exchange) -> bool:
    """Whether the answer was longer than the client accepts: it would be so again."""
    outcome = exchange.outcome
    return isinstance(outcome, Failure) and outcome.kind is FailureKind.TOO_LARGE


def hung(exchange: Exchange) -> bool:
    """Whether the target took the request and did not answer in time."""
    outcome = exchange.outcome
    return isinstance(outcome, Failure) and outcome.kind is FailureKind.TIMED_OUT


def wait_asked_s(response: Response | None, now_s: float) -> float | None:
    """How long the target says that one should wait, in seconds; None when it does not say.

    `Retry-After` as seconds or as a date (RFC 9110, 10.2.3), else what the usual headers of rate
    limits say of their reset, as seconds or as a Unix time. `now_s` is the present Unix time.
    """
    if response is None:
        return None
    retry_after = (response.header("retry-after") or "").strip()
    found = _seconds(retry_after)
    if found is None:
        found = _until(retry_after, now_s)
    if found is None and response.status == 429:
        for name in ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"):
            found = _seconds((response.header(name) or "").strip())
            if found is not None:
                break
        else:
            match = re.search(r"\bt=(\d{1,9})\b", response.header("ratelimit") or "")
            found = float(match[1]) if match else None
        if found is not None and found >= _EPOCH_FROM_S:
            found -= now_s
    return None if found is None else max(0.0, found)


def back_off_s(exchange: Exchange, tries: int, now_s: float) -> float | None:
    """How long to wait before the request is sent once more, after `tries` repetitions; None when
    it is not worth another.

    Who is busy says for how long, and may say so again: several clients, one limit. Who refuses
    without saying is asked at growing distances, who fails only once more: after a while, or at
    once where the failure was to answer within a while.
    """
    asked_s = wait_asked_s(exchange.response, now_s)
    if asked_s is not None:
        return max(_FIRST_BACK_OFF_S, asked_s)
    most = _MOST_BACK_OFFS if exchange.status == 429 else 1
    if hung(exchange):
        return 0.0 if tries < most else None
    return _FIRST_BACK_OFF_S * 2.0**tries if tries < most else None


@dataclass(slots=True)
class Pace:
    """The least time from one request to the next: none, until a limit was met."""

    gap_s: float = 0.0
    _since_s: float | None = None  # when the requests counted below began
    _served: int = 0
    _refused: bool = False

    def served(self, now_s: float) -> None:
        """A request was answered. The first one after a refusal shows how many in how much time
        the target allows; after many without a refusal the pace is tried a little higher."""
        if self._since_s is None:
            self._since_s = now_s
        if self._refused:
            if self._served >= _REQUESTS_THAT_TELL:
                allowed_s = (now_s - self._since_s) / self._served
                # The mean with what was thought before: some refuse by chance, not by count.
                known_s = self.gap_s or allowed_s
                self.gap_s = min(_LONGEST_GAP_S, (known_s + allowed_s) / 2)
            self._since_s, self._served, self._refused = now_s, 0, False
        self._served += 1
        if self.gap_s and self._served >= _REQUESTS_TO_HURRY:
            self.gap_s /= 2
            self._since_s, self._served = now_s, 0

    def refused(self) -> None:
        """The target has had enough for a while."""
        self._refused = True


@dataclass(slots=True)
class Troubles:
    """What failed and hung, by the place that was tested: what is given up there."""

    _failures: Counter[str] = field(default_factory=Counter)
    _hangs: Counter[str] = field(default_factory=Counter)
    _last_hang: dict[str, Exchange] = field(default_factory=dict)

    def see(self, exchange: Exchange, place: str) -> None:
        """Counts an exchange that failed."""
        if exchange.response is None:
            self._failures[place] += 1
        if hung(exchange):
            self._hangs[place] += 1
            self._last_hang[place] = exchange

    def give_up(self, exchange: Exchange, place: str) -> None:
        """Nothing is asked there any more: a request hung, and the target with it."""
        self._hangs[place] = max(self._hangs[place], _MOST_HANGS)
        self._last_hang[place] = exchange

    def hopeless(self, exchange: Exchange, place: str) -> bool:
        """Whether a request that failed there is not worth another try."""
        if too_large(exchange) or (hung(exchange) and self._hangs[place] > 1):
            return True
        return exchange.response is None and self._failures[place] > _REPEATED_FAILURES

    def given_up(self, place: str) -> Exchange | None:
        """The last that hung there, where so many have that none more is worth it."""
        hangs = self._hangs[place]
        if hangs >= _MOST_HANGS or (hangs > 0 and self._hangs.total() >= _HANGS_IN_ALL):
            return self._last_hang[place]
        return None


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,12}(?:\.\d+)?", text, re.ASCII) else None


def _until(text: str, now_s: float) -> float | None:
    try:
        when = datetime.datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT")
    except ValueError:
        return None
    return when.replace(tzinfo=datetime.UTC).timestamp() - now_s
