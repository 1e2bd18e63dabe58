"""Requests that end in an unhandled error: 500, or a connection that is dropped.

Sub-generators for checks; a crash proves something only where the usual request still works.
"""

from collections.abc import Callable

from withstand.client.exchange import Exchange, Failure, FailureKind, Request
from withstand.scan.check import Steps, send
from withstand.scan.probes.inputs import usual_request
from withstand.scan.subject import Subject


def crashed(exchange: Exchange) -> bool:
    """An unhandled error; 502 to 504 come from gateways and say nothing about the API."""
    if isinstance(exchange.outcome, Failure):
        return exchange.outcome.kind is FailureKind.RESET
    return exchange.outcome.status == 500


def how_it_ended(exchange: Exchange) -> str:
    """Half a sentence: `the server …`."""
    if isinstance(exchange.outcome, Failure):
        return "drops the connection"
    return f"answers {exchange.outcome.status}"


def crash_by(make: Callable[[], Request | None]) -> Steps[Exchange | None]:
    """The request's exchange; a crash only if it happens again at once, on a new connection.

    `make` builds it anew, so that what may exist only once does; None when it cannot be built.
    Servers fail now and then, and close connections that a request may meet: no matter of input.
    """
    exchange = None
    for fresh in (False, True):
        request = make()
        if request is None:
            return None
        exchange = yield from send(request, fresh=fresh, noise_is_answer=True)
        if not crashed(exchange):
            break
    return exchange


def still_works(subject: Subject) -> Steps[Exchange | None]:
    """The usual request after a crash, on a new connection; None when it crashes as well."""
    request = usual_request(subject)
    if request is None:
        return None
    exchange = yield from send(request, fresh=True)
    if exchange.response is None or exchange.response.status >= 500:
        return None
    # What was deleted is gone, and so says the second request; any other must do what it did.
    deletes = subject.operation is not None and subject.operation.removes
    return exchange if deletes or exchange.succeeded else None
