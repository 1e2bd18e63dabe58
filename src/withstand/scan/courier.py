"""The scan's way to the wire: counts, budgets, noise and the record of everything seen.

No check meets noise: an answer of 429, 502, 503 or 504, a timeout or a reset is tried once more on
a fresh connection after a pause, and when it stays, the check that asked ends as inconclusive.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request
from withstand.client.identity import Credential, Identity
from withstand.client.listener import Listener, Unreachable
from withstand.client.target import Target
from withstand.client.transport import Transport
from withstand.scan.leftovers import may_create

_NOISY_STATUSES: Final = frozenset({429, 502, 503, 504})
_OBSERVED_EXCHANGES: Final = 5_000  # of some kilobytes each: bounded memory on any API
_MOST_CREATED: Final = 5_000
_LONGEST_WAIT_S: Final = 12.0  # for one request, in several pauses: limits count in 10 s or 60 s


class NoiseStays(Exception):  # noqa: N818 - a condition of the network, not an error of ours
    """The target gives no answer that says anything."""

    def __init__(self, exchange: Exchange) -> None:
        outcome = exchange.outcome
        what = str(outcome) if isinstance(outcome, Failure) else f"status {outcome.status}"
        super().__init__(f"{exchange.request.method} {exchange.request.operation_path}: {what}")
        self.exchange = exchange


class BudgetSpent(Exception):  # noqa: N818 - the end of an allowance, not an error
    """The scan has used up the requests or the time it was given."""


class Stopped(Exception):  # noqa: N818 - the user asked for it
    """Somebody asked the scan to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a scan may send. None: no limit."""

    requests: int | None = 20_000
    duration_s: float | None = 1_800.0
    requests_per_s: float | None = None


def is_noise(exchange: Exchange) -> bool:
    """Whether the outcome says nothing about the API's logic: busy, gateway or network trouble."""
    return isinstance(exchange.outcome, Failure) or exchange.outcome.status in _NOISY_STATUSES


class Courier:
    """Carries requests for one scan over a transport."""

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        *,
        listener: Listener | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.listener = listener or Unreachable()  # for what the target sends by itself
        self._transport = transport
        self._budget = budget
        self._stop = stop
        self._started_s = transport.unix_time_s()
        self._names: dict[str, str] = {}  # credential header value → identity name
        self.requests = 0
        self.watch: Callable[[Exchange], None] | None = None  # is shown each exchange as it comes
        self.created: list[Exchange] = []  # by these something may be there that must go again
        self.observed: deque[Exchange] = deque(maxlen=_OBSERVED_EXCHANGES)
        self.secrets: dict[str, str] = {}  # of every credential there was: what prints is masked
        self.kept: dict[str, Credential] = {}  # by identity: with which the scan is to go on
        self.fresh_next = False  # the next request opens a new connection, whoever sends it

    @property
    def elapsed_s(self) -> float:
        """Seconds since the scan began."""
        return self.now_s() - self._started_s

    def now_s(self) -> float:
        """The wall clock, Unix seconds."""
        return self._transport.unix_time_s()

    def knows(self, identity: Identity) -> None:
        """From now on exchanges that carry this identity's credential bear its name."""
        self.secrets.update(identity.secrets)
        if identity.credential is not None:
            for _, value in identity.credential.headers:
                self._names[value] = identity.name

    async def send(
        self,
        request: Request,
        *,
        fresh: bool = False,
        to: Target | None = None,
        noise_is_answer: bool = False,
    ) -> Exchange:
        """One exchange. Raises NoiseStays, BudgetSpent or Stopped."""
        exchange = await self._once(request, fresh=fresh, to=to)
        waited_s, tries = 0.0, 0
        while is_noise(exchange) and not noise_is_answer:
            wait_s = _back_off_s(exchange)
            waited_s, tries = waited_s + wait_s, tries + 1
            # Who is only busy says for how long, and may say so again: several clients, one limit.
            if waited_s > _LONGEST_WAIT_S or (tries > 1 and not _says_when(exchange)):
                raise NoiseStays(exchange)
            await self._transport.pause(wait_s)
            exchange = await self._once(request, fresh=True, to=to)
        return exchange

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests at one instant; noise is part of the answer."""
        self._account(len(requests))
        exchanges = tuple(self._named(e) for e in await self._transport.burst(requests))
        for exchange in exchanges:
            self._saw(exchange)
        return exchanges

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await self._transport.pause(seconds)

    async def _once(self, request: Request, *, fresh: bool, to: Target | None) -> Exchange:
        self._account(1)
        if self._budget.requests_per_s is not None:
            ahead_s = self.requests / self._budget.requests_per_s - self.elapsed_s
            if ahead_s > 0:
                await self._transport.pause(ahead_s)
        fresh, self.fresh_next = fresh or self.fresh_next, False
        exchange = self._named(await self._transport.send(request, fresh=fresh, to=to))
        self._saw(exchange)
        return exchange

    def _saw(self, exchange: Exchange) -> None:
        self.observed.append(exchange)
        if may_create(exchange) and len(self.created) < _MOST_CREATED:
            self.created.append(exchange)
        if self.watch is not None:
            self.watch(exchange)

    def _account(self, requests: int) -> None:
        if self._stop():
            raise Stopped("the scan was interrupted")
        allowed, duration_s = self._budget.requests, self._budget.duration_s
        if allowed is not None and self.requests + requests > allowed:
            raise BudgetSpent(f"the budget of {allowed:,} requests is spent")
        if duration_s is not None and self.elapsed_s > duration_s:
            raise BudgetSpent(f"the budget of {duration_s:g} s is spent")
        self.requests += requests

    def _named(self, exchange: Exchange) -> Exchange:
        for _, value in exchange.request.headers:
            if value in self._names:
                return replace(exchange, identity=self._names[value])
        return exchange


def _says_when(exchange: Exchange) -> bool:
    wait = exchange.response.header("retry-after") if exchange.response else None
    return wait is not None and wait.isascii() and wait.isdigit()


def _back_off_s(exchange: Exchange) -> float:
    if exchange.response is None or not _says_when(exchange):
        return 0.5
    return max(0.5, float(exchange.response.header("retry-after") or 0))
