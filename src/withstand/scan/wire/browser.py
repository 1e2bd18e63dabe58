"""What a browser adds to a write: the token of the form, and the page that the answer leads to."""

from collections.abc import Awaitable, Callable, Generator

from withstand.client.exchange import Exchange, Request
from withstand.client.target import Target
from withstand.scan.answers.landing import followed
from withstand.scan.wire.forgery import Forgery

Sender = Callable[[Request], Awaitable[Exchange]]


class Browser:
    """Sends writes as a browser does, by whoever sends single requests for it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._forgery = Forgery()

    def see(self, exchange: Exchange) -> None:
        """Takes notice of an exchange, whoever asked for it."""
        self._forgery.see(exchange)

    async def submitted(self, request: Request, send: Sender) -> Exchange:
        """The exchange of a request, as the one who sends it would have it in a browser."""

        async def sent(asked: Request) -> Exchange:
            return await self.landed(await send(asked), send)

        return await _carried(self._forgery.steps(request), sent)

    async def landed(self, exchange: Exchange, send: Sender) -> Exchange:
        """The exchange, of a write judged by the page that it led to."""
        return await _carried(followed(exchange, self._target), send)


async def _carried(steps: Generator[Request, Exchange, Exchange], send: Sender) -> Exchange:
    try:
        request = next(steps)
        while True:
            request = steps.send(await send(request))
    except StopIteration as end:
        found: Exchange = end.value
        return found
