"""Shakes hands with a server to see what it agrees to: the shell around `certificate`."""

import ssl
import warnings
from typing import Final

from withstand.client.certificate import Handshake, expires_at_s
from withstand.client.connect import connect, tls_context
from withstand.client.connection import Connection
from withstand.client.exchange import Failure
from withstand.client.target import Target

_OLD: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


async def handshake(target: Target, *, timeout_s: float) -> Handshake | None:
    """What the target agrees to, in two or three connections; None where no TLS is spoken.

    The certificate is verified here even if the target's settings say that it need not be valid.
    """
    usual = tls_context(target)
    if usual is None:
        return None
    strict = ssl.create_default_context()
    if target.ca_file is not None:
        strict.load_verify_locations(target.ca_file)
    seen = await _agreed(target, _lenient(), timeout_s)
    if seen is None:
        seen = await _agreed(target, usual, timeout_s)  # it may want a client certificate
    if seen is None:
        return None
    version, der = seen
    verified = await _opened(target, strict, timeout_s)
    problem = verified.detail if isinstance(verified, Failure) else None
    if isinstance(verified, Connection):
        _drop(verified)
    old = await _agreed(target, _old_only(), timeout_s)
    return Handshake(
        version=version,
        problem=problem if problem and "certificate" in problem.lower() else None,
        expires_at_s=expires_at_s(der),
        old_version=old[0] if old is not None else None,
    )


async def _opened(
    target: Target, context: ssl.SSLContext, timeout_s: float
) -> Connection | Failure:
    return await connect(Connection, target, ssl_context=context, timeout_s=timeout_s)


async def _agreed(
    target: Target, context: ssl.SSLContext, timeout_s: float
) -> tuple[str, bytes] | None:
    """The protocol's version and the certificate; None without a handshake."""
    opened = await _opened(target, context, timeout_s)
    if isinstance(opened, Failure):
        return None
    session = opened.transport.get_extra_info("ssl_object")
    version = session.version() if session is not None else None
    der = session.getpeercert(binary_form=True) if session is not None else None
    _drop(opened)
    return (version, der or b"") if version is not None else None


def _drop(connection: Connection) -> None:
    connection.transport.abort()


def _lenient() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _old_only() -> ssl.SSLContext:
    """One that offers nothing newer than TLS 1.1, with whatever ciphers that takes."""
    context = _lenient()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version, context.maximum_version = _OLD
    return context
