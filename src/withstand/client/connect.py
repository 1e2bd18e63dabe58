"""Opening connections: names to addresses, TCP, proxy, TLS. Expected failures come back as values.

TCP and TLS are opened one after the other, so that each is measured: `Connection.connect_ns` is
from the first packet until bytes can go to the target, a proxy's tunnel included; `tls_ns` is the
handshake.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from time import perf_counter_ns
from typing import Any, Final, TypeVar, cast

from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.client.target import Target
from withstand.errors import UsageError

C = TypeVar("C", bound=Connection)

# How long one address may be silent before the next one is tried as well (RFC 8305, section 8).
_ATTEMPT_DELAY_S: Final = 0.25

_MOST_HEAD_BYTES: Final = 65_536  # of a proxy's answer to CONNECT

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
    """The addresses to connect to, in the system's order, or an UNRESOLVED failure.

    They are those of the target's host, or of its proxy, which looks the target up itself.
    """
    loop = asyncio.get_running_loop()
    peer = target.proxy or target
    try:
        found = await loop.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Failure(kind=FailureKind.UNRESOLVED, detail=f"{peer.host}: {error}")
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def tls_context(target: Target) -> ssl.SSLContext | None:
    """How to speak TLS to the target; None for plain HTTP.

    Raises UsageError when the target's file of certificate authorities, or the client's own
    certificate, cannot be used.
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
    if target.cert_file is not None:
        _load_own_certificate(context, target.cert_file, target.key_file)
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_own_certificate(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    encrypted = False

    def no_password() -> bytes:  # or OpenSSL would ask at the terminal
        nonlocal encrypted
        encrypted = True
        return b""

    try:
        context.load_cert_chain(cert_file, key_file, password=no_password)
    except OSError as error:  # ssl.SSLError is one
        why = "its key is encrypted" if encrypted else str(error)
        raise UsageError(
            f"the client certificate {cert_file} cannot be used: {why}",
            hint="cert and key under [target] (--cert, --key) must name PEM files that belong "
            "together, the key without a password",
        ) from None


async def _open(
    factory: Callable[[], C], target: Target, context: ssl.SSLContext | None, address: str
) -> C | Failure:
    loop = asyncio.get_running_loop()
    port = (target.proxy or target).port
    began_ns = perf_counter_ns()
    try:
        if context is None:
            _, connection = await loop.create_connection(factory, address, port)
            connection.connect_ns = perf_counter_ns() - began_ns
            return connection
        transport, opening = await loop.create_connection(_Opening, address, port)
    except OSError as error:
        return _failure(error, target)
    try:
        if target.proxy is not None and (refusal := await opening.tunnel(target)):
            transport.abort()
            detail = f"the proxy {target.proxy.authority} {refusal}"
            return Failure(kind=FailureKind.REFUSED, detail=detail)
        connected_ns = perf_counter_ns()
        connection = await _secured(factory, transport, context, target)
    except OSError as error:  # ssl.SSLError is one
        return _failure(error, target, tls=True)
    except BaseException:  # cancelled: another address was quicker, or the time is up
        transport.abort()
        raise
    connection.connect_ns = connected_ns - began_ns
    connection.tls_ns = perf_counter_ns() - connected_ns
    return connection


async def _secured(
    factory: Callable[[], C],
    transport: asyncio.Transport,
    context: ssl.SSLContext,
    target: Target,
) -> C:
    connection = factory()
    connection.transport = transport  # a server that speaks first is dropped even before the end
    secured = await asyncio.get_running_loop().start_tls(
        transport, connection, context, server_hostname=target.server_name or target.host
    )
    if secured is None:  # closed by the other side in the very moment
        raise ConnectionResetError("the connection was closed after the handshake")
    connection.connection_made(secured)
    return connection


class _Opening(asyncio.Protocol):
    """A connection on its way to TLS: at most it asks a proxy for a tunnel."""

    def __init__(self) -> None:
        self._head = b""
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def tunnel(self, target: Target) -> str | None:
        """Ask for a tunnel to the target (RFC 9110, 9.3.6); what the proxy did instead, if it did.

        The port is always named: there is no default one in this form (RFC 9112, 3.2.3).
        """
        host = f"[{target.host}]" if ":" in target.host else target.host
        lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
        if target.proxy is not None and (authorization := target.proxy.authorization):
            lines.append(f"Proxy-Authorization: {authorization}")
        self._transport.write("\r\n".join((*lines, "", "")).encode())
        status = (await self._answer).split(b"\r\n", 1)[0].decode("latin-1")
        _, _, said = status.partition(" ")
        if status.startswith("HTTP/1.") and said.startswith("2"):
            return None
        return f"answered {said or status!r} to CONNECT {host}:{target.port}"

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n\r\n" in self._head or len(self._head) > _MOST_HEAD_BYTES:
            self._settle(self._head)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._settle(b"nothing")

    def _settle(self, answer: bytes) -> None:
        if not self._answer.done():
            self._answer.set_result(answer)


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


def _failure(error: OSError, target: Target, *, tls: bool = False) -> Failure:
    where = (
        target.authority if tls or target.proxy is None else f"the proxy {target.proxy.authority}"
    )
    detail = f"{where}: {str(error) or type(error).__name__}"
    if isinstance(error, ssl.SSLError):
        return Failure(kind=FailureKind.TLS, detail=detail)
    if isinstance(error, TimeoutError):
        return Failure(kind=FailureKind.TIMED_OUT, detail=detail)
    if error.errno in _EXHAUSTED:
        return Failure(kind=FailureKind.EXHAUSTED, detail=str(error))
    if tls:
        return Failure(kind=FailureKind.TLS, detail=f"{detail} (handshake)")
    return Failure(kind=FailureKind.REFUSED, detail=detail)
