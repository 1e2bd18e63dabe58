"""One try at a request that succeeds, kept so that somebody can see why none did. Pure."""

from dataclasses import dataclass

from withstand.client.exchange import Exchange
from withstand.openapi.request_builder import Built
from withstand.scan.answers.complaints import said


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tried, with how much of the body, and what came of it: an exchange, or why none was sent.

    `repaired` names the inputs that had another value than at the attempt before.
    """

    identity: str | None
    full: bool = True
    repaired: tuple[str, ...] = ()
    built: Built | None = None
    exchange: Exchange | None = None
    reason: str = ""

    @property
    def what(self) -> str:
        """`bob got 422: email: is invalid`, in one line and with whatever secrets are in it."""
        who = self.identity or "anonymous"
        if self.exchange is None or self.exchange.response is None:
            return f"{who}: {self.reason}"
        text = said(self.exchange.response)
        return f"{who} got {self.status}" + (f": {text}" if text else "")

    @property
    def status(self) -> str:
        """The status of a try that failed, and whether only the answer's text says so."""
        response = self.exchange.response if self.exchange is not None else None
        if response is None:
            return "None"
        soft = response.succeeded or response.accepted is False
        return f"{response.status}" + (" that says it failed" if soft else "")
