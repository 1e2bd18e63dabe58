"""Why there is no answer: raised where a request was to be sent. Pure."""

from withstand.client.exchange import Exchange, Failure
from withstand.openapi.request_values import Unbuildable


class NoiseStays(Exception):  # noqa: N818 - a condition of the network, not an error of ours
    """The target gives no answer that says anything."""

    def __init__(self, exchange: Exchange) -> None:
        outcome = exchange.outcome
        what = str(outcome) if isinstance(outcome, Failure) else f"status {outcome.status}"
        super().__init__(f"{exchange.request.method} {exchange.request.operation_path}: {what}")
        self.exchange = exchange


class Withheld(Unbuildable):
    """A request is not sent: it might harm a configured user (V8). `reason` is one sentence."""


class Stopped(Exception):  # noqa: N818 - the user asked for it
    """Somebody asked the scan to stop."""
