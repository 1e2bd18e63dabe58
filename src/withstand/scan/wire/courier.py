"""The scan's way to the wire: counts, budgets, noise and the record of everything seen.

No check meets noise: an answer of 429, 502, 503 or 504, a timeout or a reset is tried once more on
a fresh connection after a pause, and when it stays, the check that asked ends as inconclusive. How
long a busy target is waited for is the matter of `withstand.scan.wire.waiting`.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Credential, Identity
from withstand.client.listener import Listener, Unreachable
from withstand.client.target import Target
from withstand.client.transport import Transport
from withstand.scan.wire.browser import Browser
from withstand.scan.wire.budget import Allowance, Budget, BudgetSpent
from withstand.scan.wire.logbook import Logbook
from withstand.scan.wire.patience import hung, is_noise
from withstand.scan.wire.preconditions import Preconditions
from withstand.scan.wire.real_users import RealUsers
from withstand.scan.wire.renewal import Renewal
from withstand.scan.wire.spellings import Spellings
from withstand.scan.wire.unanswered import NoiseStays, Stopped, Withheld
from withstand.scan.wire.waiting import Waiting

__all__ = ["Budget", "BudgetSpent", "Courier", "NoiseStays", "Stopped", "Withheld", "is_noise"]

_MOST_HOPS: Final = 3  # from one spelling of an address to the next


NewUser = Callable[[], Awaitable[Identity | str]]
"""Makes a throw-away user that is logged in, or says why there is none."""


class Courier:
    """Carries requests for one scan over a transport. Without a `target` it follows no redirect."""

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        *,
        listener: Listener | None = None,
        target: Target | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.listener = listener or Unreachable()  # for what the target sends by itself
        self._transport = transport
        self.allowance = Allowance(budget=budget)
        self._stop = stop
        self._started_s = transport.unix_time_s()
        self._renewal = Renewal()
        self._preconditions = Preconditions()
        self._browser = Browser(target) if target is not None else None
        self._spellings = Spellings(target)
        self.real_users = RealUsers()  # to whom nothing is done
        self.watch: Callable[[Exchange], None] | None = None  # is shown each exchange as it comes
        self.logbook = Logbook()
        self.new_user: NewUser = _nobody  # makes a throw-away user for the check that asks
        self.overtime = False  # what is sent to finish properly counts against no budget
        self.kept: dict[str, Credential] = {}  # by identity: with which the scan is to go on
        self.fresh_next = False  # the next request opens a new connection, whoever sends it
        self.place = ""  # what is being tested: an operation that hangs is given up
        self.waiting = Waiting(transport, self._plainly, stop=stop, duration_s=budget.duration_s)

    @property
    def requests(self) -> int:
        """How many were sent so far."""
        return self.allowance.requests

    @property
    def elapsed_s(self) -> float:
        """Seconds since the scan began."""
        return self.now_s() - self._started_s

    def now_s(self) -> float:
        """The wall clock, Unix seconds."""
        return self._transport.unix_time_s()

    def knows(self, identity: Identity) -> None:
        """From now on exchanges that carry this identity's credential bear its name."""
        self._renewal.knows(identity)

    def supersede(self, old: Credential, new: Credential) -> None:
        """From now on whatever carries the old credential is sent with the new one."""
        self._renewal.supersede(old, new)

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret that the run was told so far → the shell variable that stands for it."""
        return self._renewal.secrets

    def secrets_in(self, texts: Iterable[str]) -> dict[str, str]:
        """The same, with those of all other sessions that were opened and that the texts show."""
        return self._renewal.secrets_in(texts)

    def current(self, request: Request) -> Request:
        """The request as the API has it now: the newest cookie of each session that it renewed, the
        spelling of the address to which it redirects.
        """
        return self._renewal.current(self._spellings.current(request))

    async def send(
        self,
        request: Request,
        *,
        fresh: bool = False,
        to: Target | None = None,
        noise_is_answer: bool = False,
    ) -> Exchange:
        """One exchange. Raises NoiseStays, Withheld, BudgetSpent or Stopped."""
        self._spare(request)
        last_hang = self.waiting.given_up(self.place)
        if last_hang is not None:
            if noise_is_answer:
                return last_hang
            raise NoiseStays(last_hang)
        exchange = await self._submitted(request, fresh=fresh, to=to)
        waited_s, tries = 0.0, 0
        while is_noise(exchange):
            held_up = hung(exchange) and await self.waiting.holds_up_others(
                exchange, self.place, looks=not self.overtime
            )
            if noise_is_answer:
                break
            wait_s = None
            if not held_up:
                wait_s = await self.waiting.before_next_s(
                    exchange, self.place, tries=tries, waited_s=waited_s
                )
            if wait_s is None:
                raise NoiseStays(exchange)
            waited_s, tries = waited_s + wait_s, tries + 1
            await self.waiting.rest(wait_s)
            exchange = await self._submitted(request, fresh=True, to=to)
        return exchange

    async def _submitted(self, request: Request, *, fresh: bool, to: Target | None) -> Exchange:
        """One exchange; to the target itself as a browser has it."""
        if self._browser is None or to is not None:
            return await self._unlocked(request, fresh=fresh, to=to)
        exchange = await self._browser.submitted(
            self.current(request), lambda asked: self._unlocked(asked, fresh=fresh, to=None)
        )
        self.logbook.keep_judged(exchange)
        return exchange

    async def _unlocked(self, request: Request, *, fresh: bool, to: Target | None) -> Exchange:
        """One exchange, repeated with the version of the thing where the API asks for one."""
        versions = self._preconditions
        exchange = await self._respelled(versions.met(request), fresh=fresh, to=to)
        if not versions.is_missing(exchange):
            return exchange
        question = versions.question(exchange.request)
        if question is not None:
            await self._once(question, fresh=False, to=to)
        versions.want(request)
        again = versions.met(request)
        if again.header("if-match") == exchange.request.header("if-match"):
            return exchange
        return await self._once(again, fresh=False, to=to)

    async def _respelled(self, request: Request, *, fresh: bool, to: Target | None) -> Exchange:
        """One exchange, at the spelling of the address to which the API redirects."""
        exchange = await self._once(request, fresh=fresh, to=to)
        if to is not None:
            return exchange
        for _ in range(_MOST_HOPS):
            again = self._spellings.again(exchange)
            if again is None:
                break
            exchange = await self._once(again, fresh=False, to=None)
        self._spellings.learn(request, exchange.request)
        return exchange

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests at one instant; noise is part of the answer."""
        for request in requests:
            self._spare(request)
        self._account(len(requests))
        current = tuple(self.current(request) for request in requests)
        exchanges = tuple(self._named(e) for e in await self._transport.burst(current))
        for exchange in exchanges:
            self.waiting.count(exchange, self.place)
            self._observe(exchange)
        if self._browser is None:
            return exchanges
        landed = [await self._browser.landed(each, self._plainly) for each in exchanges]
        for exchange in landed:
            self.logbook.keep_judged(exchange)
        return tuple(landed)

    async def _plainly(
        self, request: Request, *, fresh: bool = False, counts: bool = True
    ) -> Exchange:
        return await self._once(request, fresh=fresh, to=None, counts=counts)

    async def shake_hands(self) -> Handshake | None:
        """What the target's server agrees to; None where no TLS is spoken."""
        return await self._transport.handshake()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await self._transport.pause(seconds)

    async def _once(
        self, request: Request, *, fresh: bool, to: Target | None, counts: bool = True
    ) -> Exchange:
        """One exchange; whether its failure `counts` against the place that is tested."""
        self._account(1)
        per_s = self.allowance.budget.requests_per_s
        if per_s is not None:
            ahead_s = self.requests / per_s - self.elapsed_s
            if ahead_s > 0:
                await self._transport.pause(ahead_s)
        await self.waiting.for_its_turn()
        fresh, self.fresh_next = fresh or self.fresh_next, False
        sent = await self._transport.send(self.current(request), fresh=fresh, to=to)
        exchange = self._named(sent)
        if counts:
            self.waiting.count(exchange, self.place)
        self._observe(exchange)
        return exchange

    def _spare(self, request: Request) -> None:
        sender = self._renewal.sender(request)
        name = sender.name if sender is not None else None
        harmed = self.real_users.harmed_by(request, name)
        if harmed is not None:
            reason = f"it names {harmed}, to whom the scan does nothing"
        elif self.real_users.is_harmful(request, name):
            reason = "it may change a configured user, or what is theirs"
        else:
            return
        raise Withheld(f"{request.method} {request.operation_path} was not sent: {reason}")

    def _observe(self, exchange: Exchange) -> None:
        self._preconditions.see(exchange)
        self._renewal.see(exchange)
        if self._browser is not None:
            self._browser.see(exchange)
        self.waiting.see(exchange)
        if self.watch is not None:
            self.watch(exchange)
        self.logbook.keep(exchange)

    def _account(self, requests: int) -> None:
        if self._stop():
            raise Stopped("the scan was interrupted")
        if self.overtime:
            self.allowance.requests += requests
            return
        self.allowance.spend(requests, self.elapsed_s)

    def _named(self, exchange: Exchange) -> Exchange:
        sender = self._renewal.sender(exchange.request)
        if sender is None:
            return exchange
        self._renewal.follow(exchange, sender)
        return replace(exchange, identity=sender.name)


async def _nobody() -> Identity | str:
    return "nothing here makes users"
