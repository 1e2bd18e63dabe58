"""Opening connections: names to addresses, TCP, TLS. Expected failures come back as values."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.client.target import Target
from withstand.errors import UsageError

C = TypeVar("C", bound=Connection)

# How long one address may be silent before the next one is tried as well (RFC 8305, section 8).
_ATTEMPT_DELAY_S: Final = 0.25

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


async def connect(
    factory: Callable[[], C],
    target: Target,
    *,
    ssl_context: ssl.SSLContext | None,
    timeout_s: float,
    addresses: Sequence[str] | None = None,
) -> C | Failure:
    """A connected `Connection` made by `factory`, or why there is none.

    `ssl_context` is that of `tls_context(target)`, made once. `addresses` are those of
    `resolve(target)`, for who opens many connections; without them the name is looked up. Where a
    name has several addresses, the next one is tried when one is silent for 250 ms (RFC 8305).
    """
    try:
        async with asyncio.timeout(timeout_s):
            if addresses is None:
                found = await resolve(target)
                if isinstance(found, Failure):
                    return found
                addresses = found
            open_one = partial(_open, factory, target, ssl_context)
            if len(addresses) == 1:
                return await open_one(addresses[0])
            return await _first(open_one, addresses)
    except TimeoutError:
        return Failure(
            kind=FailureKind.TIMED_OUT,
            detail=f"no connection to {target.authority} within {timeout_s:g} s",
        )


async def resolve(target: Target) -> tuple[str, ...] | Failure:
    """The addresses of the target's host, in the system's order, or an UNRESOLVED failure."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Failure(kind=FailureKind.UNRESOLVED, detail=f"{target.host}: {error}")
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def tls_context(target: Target) -> ssl.SSLContext | None:
    """How to speak TLS to the target; None for plain HTTP.

    Raises UsageError when the target's file of certificate authorities cannot be used.
    """
    if target.scheme != "https":
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if target.ca_file is not None:
        try:
            context.load_verify_locations(target.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                f"the certificate authorities in {target.ca_file} cannot be read: {error}",
                hint="ca_file must name a PEM file with at least one certificate",
            ) from None
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _open(
    factory: Callable[[], C], target: Target, context: ssl.SSLContext | None, address: str
) -> C | Failure:
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(
            factory,
            address,
            target.port,
            ssl=context,
            server_hostname=target.host if context is not None else None,
        )
    except (OSError, ssl.CertificateError) as error:
        return _failure(error, target, tls=context is not None)
    return connection


async def _first(
    open_one: Callable[[str], Coroutine[Any, Any, C | Failure]], addresses: Sequence[str]
) -> C | Failure:
    """The first connection that comes about; the last failure when none does."""
    waiting: set[asyncio.Task[C | Failure]] = set()
    rest = list(addresses)
    outcome: C | Failure = Failure(kind=FailureKind.UNRESOLVED, detail="the name has no address")
    try:
        while rest or waiting:
            if rest:
                waiting.add(asyncio.ensure_future(open_one(rest.pop(0))))
            done, waiting = await asyncio.wait(
                waiting,
                timeout=_ATTEMPT_DELAY_S if rest else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                outcome = task.result()
                if isinstance(outcome, Connection):
                    return outcome
        return outcome
    finally:
        for task in waiting:
            task.cancel()


def _failure(error: Exception, target: Target, *, tls: bool) -> Failure:
    detail = f"{target.authority}: {error}"
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return Failure(kind=FailureKind.TLS, detail=detail)
    if isinstance(error, TimeoutError):
        return Failure(kind=FailureKind.TIMED_OUT, detail=detail)
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return Failure(kind=FailureKind.EXHAUSTED, detail=str(error))
    if tls and isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
        return Failure(kind=FailureKind.TLS, detail=f"{detail or type(error).__name__} (handshake)")
    return Failure(kind=FailureKind.REFUSED, detail=detail)
