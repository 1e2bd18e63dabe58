"""Waiting for a busy target: a rate limit, a gateway in trouble, one thread that something keeps.

What the waits are is decided in `withstand.scan.wire.patience`; here they go by.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from withstand.client.exchange import Exchange, Request
from withstand.client.transport import Transport
from withstand.scan.wire.patience import (
    LONGEST_WAIT_S,
    PROMPT_S,
    SHORT_WAIT_S,
    Pace,
    Troubles,
    back_off_s,
    hung,
    is_noise,
)
from withstand.scan.wire.unanswered import Stopped

_BETWEEN_LOOKS_S: Final = 0.5  # at whether somebody wants the scan to stop
_WAITED_SHARE: Final = 1 / 3  # of the scan's time, which is spent on waiting at most
_WAITED_S: Final = 600.0  # where its time has no limit


class Ask(Protocol):
    """Sends a request once; whether its failure `counts` against the place that is tested."""

    def __call__(self, request: Request, *, fresh: bool, counts: bool) -> Awaitable[Exchange]: ...


class Waiting:
    """How one scan waits. `ask` sends a request once, `stop` says whether the scan is to end, and
    `duration_s` is the time that the whole scan has, None without a limit.
    """

    def __init__(
        self,
        transport: Transport,
        ask: Ask,
        *,
        stop: Callable[[], bool],
        duration_s: float | None,
    ) -> None:
        self.announce: Callable[[float], None] = _nothing  # is told how long it takes, seconds
        self.refusals = 0  # answers of 429 that were waited for
        self.waited_s = 0.0
        self.silent_since: Request | None = None  # after which nothing at all was answered
        self._transport = transport
        self._ask = ask
        self._stop = stop
        self._most_s = _WAITED_S if duration_s is None else duration_s * _WAITED_SHARE
        self._held_up_s = 0.0  # that others had to wait too, after a request hung
        self._pace = Pace()
        self._last_sent_s = 0.0
        self._last_served: Request | None = None  # a read, which may be repeated
        self._troubles = Troubles()

    async def for_its_turn(self) -> None:
        """Keeps the pace that a limit allows."""
        gap_s = self._last_sent_s + self._pace.gap_s - self._now_s()
        if self._pace.gap_s and gap_s > 0:
            await self._transport.pause(gap_s)
        self._last_sent_s = self._now_s()

    async def rest(self, seconds: float) -> None:
        """Waits for a busy target, for no longer than until somebody asks the scan to stop."""
        self.announce(seconds)
        end_s = self._now_s() + seconds
        while (left_s := end_s - self._now_s()) > 0:
            if self._stop():
                raise Stopped("the scan was interrupted")
            await self._transport.pause(min(left_s, _BETWEEN_LOOKS_S))

    async def before_next_s(
        self, exchange: Exchange, place: str, *, tries: int, waited_s: float
    ) -> float | None:
        """How long to wait before a noisy request is repeated; None when it is given up."""
        if self._troubles.hopeless(exchange, place):
            return None
        wait_s = back_off_s(exchange, tries, self._now_s())
        if wait_s is None or waited_s + wait_s > LONGEST_WAIT_S:
            return None
        if self.waited_s + wait_s > self._most_s:
            return None
        if waited_s + wait_s > SHORT_WAIT_S and await self._others_are_served():
            return None
        if exchange.status == 429:
            self.refusals += 1
            self._pace.refused()
        self.waited_s += wait_s
        return wait_s

    async def holds_up_others(self, exchange: Exchange, place: str, *, looks: bool) -> bool:
        """Whether a read that was served before has to wait too, after a request hung: a server
        with one thread is busy with it yet. Then this waits until somebody is served again.

        What was the last to be sent when the target fell silent is `silent_since`. Only who `looks`
        asks and waits.
        """
        if self._last_served is None or not looks or self.silent_since is not None:
            return self.silent_since is not None
        began_s = self._now_s()
        most_s = min(LONGEST_WAIT_S, self._most_s - self.waited_s - self._held_up_s)
        while (waited_s := self._now_s() - began_s) < most_s:
            asked = await self._ask(self._last_served, fresh=True, counts=False)
            if not is_noise(asked):
                self._held_up_s += waited_s
                return self._now_s() - began_s > PROMPT_S
            self.announce(most_s)
            if not hung(asked):
                await self.rest(PROMPT_S)
        self._held_up_s += waited_s
        self.silent_since = exchange.request
        self._troubles.give_up(exchange, place)
        return True

    def given_up(self, place: str) -> Exchange | None:
        """The last that hung there, where so many have that none more is worth it."""
        return self._troubles.given_up(place)

    def count(self, exchange: Exchange, place: str) -> None:
        """Counts an exchange that failed against the place that was tested."""
        self._troubles.see(exchange, place)

    def see(self, exchange: Exchange) -> None:
        """Learns from an exchange who is served, and how fast."""
        if exchange.response is None:
            return
        self.silent_since = None
        if exchange.status != 429:
            self._pace.served(self._now_s())
            if exchange.succeeded and exchange.request.method == "GET":
                self._last_served = exchange.request

    async def _others_are_served(self) -> bool:
        """Whether a read that was served before still is: then the limit is on one thing only."""
        if self._last_served is None:
            return False
        return not is_noise(await self._ask(self._last_served, fresh=False, counts=True))

    def _now_s(self) -> float:
        return self._transport.unix_time_s()


def _nothing(_seconds: float) -> None:
    """Nobody wants to know."""
