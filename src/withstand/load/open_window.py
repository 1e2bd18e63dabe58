"""A window of one operation that is still counted into. Pure."""

from collections import Counter, defaultdict

from withstand.load.known_answer import KnownAnswers
from withstand.load.tally import Tally
from withstand.load.window import Window
from withstand.stats.histogram import merged


class OpenWindow:
    """What a window has counted so far; each request in as few tallies as it needs.

    Most answers are read at once, so that their first byte is their last, and in the closed model
    requests leave at their intended start. So three times are often one: `plain` counts values
    that are response time, service time and time to first byte; `prompt` the first two; `at_once`
    the last two. What is left is in `response`, `service` and `first_byte`.

    An answer that is among the `known` ones is counted there, and its times by whoever looked it
    up.
    """

    __slots__ = (
        "at_once",
        "bytes_received",
        "connect",
        "error_time",
        "failures",
        "first_byte",
        "known",
        "plain",
        "prompt",
        "rejected",
        "response",
        "service",
        "statuses",
        "tls",
        "unexpected",
    )

    def __init__(self) -> None:
        self.plain = Tally()
        self.prompt = Tally()
        self.at_once = Tally()
        self.response = Tally()
        self.service = Tally()
        self.first_byte = Tally()
        self.connect = Tally()
        self.tls = Tally()
        self.error_time = Tally()
        self.statuses: defaultdict[int, int] = defaultdict(int)
        self.failures: defaultdict[str, int] = defaultdict(int)
        self.rejected: defaultdict[str, int] = defaultdict(int)
        self.unexpected = 0
        self.bytes_received = 0
        self.known = KnownAnswers()

    def learn(self, data: bytes, status: int) -> None:
        """Know an answer from now on, unless none of those that are known comes again."""
        if self.known.is_full:
            if not self.known.come_again:
                return
            self._forget()
        self.known.learn(data, status)

    def _forget(self) -> None:
        for answer in self.known:
            if answer.times:
                self.statuses[answer.status] += answer.times
                self.bytes_received += answer.times * answer.size
        self.known.clear()

    @property
    def errors(self) -> int:
        """Failures and unexpected responses."""
        return self.unexpected + sum(self.failures.values())

    @property
    def completed(self) -> int:
        """Requests that came to an end."""
        known = sum(answer.times for answer in self.known)
        return known + sum(self.statuses.values()) + sum(self.failures.values())

    def value(self, second: int, width_s: int) -> Window:
        """What was counted so far."""
        statuses, bytes_received = Counter(self.statuses), self.bytes_received
        for answer in self.known:
            statuses[answer.status] += answer.times
            bytes_received += answer.times * answer.size
        plain = self.plain.histogram()
        prompt, at_once = self.prompt.histogram(), self.at_once.histogram()
        return Window(
            second=second,
            width_s=width_s,
            response_time=merged((plain, prompt, self.response.histogram())),
            service_time=merged((plain, prompt, at_once, self.service.histogram())),
            first_byte=merged((plain, at_once, self.first_byte.histogram())),
            connect=self.connect.histogram(),
            tls=self.tls.histogram(),
            error_time=self.error_time.histogram(),
            statuses=dict(sorted((+statuses).items())),
            failures=dict(sorted(self.failures.items())),
            rejected=dict(sorted(self.rejected.items())),
            unexpected=self.unexpected,
            bytes_received=bytes_received,
        )
