"""What a scan has sent and was answered, in bounded memory whatever the API is like. Pure."""

from collections import deque
from typing import Final

from withstand.client.exchange import Exchange
from withstand.scan.wire.leftovers import may_create

_OBSERVED_EXCHANGES: Final = 5_000
_OBSERVED_BYTES: Final = 100_000_000  # of their answers
_MOST_CREATED: Final = 5_000


class Logbook:
    """`observed` are the latest exchanges; by those `created` something may be there that must go
    again.
    """

    def __init__(self) -> None:
        self.observed: deque[Exchange] = deque()
        self.created: list[Exchange] = []
        self._observed_bytes = 0

    def keep(self, exchange: Exchange) -> None:
        """Takes in an exchange as it comes."""
        if may_create(exchange) and len(self.created) < _MOST_CREATED:
            self.created.append(exchange)
        self.observed.append(exchange)
        self._observed_bytes += _size(exchange)
        while len(self.observed) > _OBSERVED_EXCHANGES or (
            self._observed_bytes > _OBSERVED_BYTES and len(self.observed) > 1
        ):
            self._observed_bytes -= _size(self.observed.popleft())

    def keep_judged(self, exchange: Exchange) -> None:
        """Takes in a write by what the page says to which it led: when it was kept, nobody knew."""
        response = exchange.response
        if response is not None and not 200 <= response.status < 300 and may_create(exchange):
            self.created.append(exchange)


def _size(exchange: Exchange) -> int:
    return len(exchange.response.body) if exchange.response is not None else 0
