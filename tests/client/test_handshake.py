"""What a handshake tells, of real servers on this machine."""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from withstand.client.certificate import Handshake, expires_at_s
from withstand.client.handshake import handshake
from withstand.client.target import Target

from .certificates import Certificates

HTTPS = Target(scheme="https", host="127.0.0.1", port=443)


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[int]:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def context_of(certificates: Certificates, *, oldest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = oldest
    if oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def shaken(context: ssl.SSLContext, target: Target) -> Handshake | None:
    async def main() -> Handshake | None:
        async with serving(context) as port:
            return await handshake(replace(target, port=port), timeout_s=5)

    return asyncio.run(main())


def trusting(certificates: Certificates) -> Target:
    return replace(HTTPS, ca_file=str(certificates.authority))


def test_a_modern_server_with_a_known_certificate_is_seen_as_such(
    certificates: Certificates,
) -> None:
    found = shaken(context_of(certificates, oldest=ssl.TLSVersion.TLSv1_2), trusting(certificates))
    certificate = x509.load_pem_x509_certificate(Path(certificates.chain).read_bytes())
    assert found == Handshake(
        version="TLSv1.3", expires_at_s=certificate.not_valid_after_utc.timestamp()
    )


def test_a_server_that_agrees_to_old_protocols_as_well_is_seen(certificates: Certificates) -> None:
    found = shaken(context_of(certificates, oldest=ssl.TLSVersion.TLSv1), trusting(certificates))
    assert found is not None
    assert (found.version, found.old_version) == ("TLSv1.3", "TLSv1.1")


@pytest.mark.parametrize(
    ("name", "known", "wanted"),
    [("other.example", True, "Hostname mismatch"), (None, False, "unable to get local issuer")],
)
def test_what_is_wrong_with_a_certificate_is_told_whatever_the_settings_say(
    certificates: Certificates, name: str | None, known: bool, wanted: str
) -> None:
    target = trusting(certificates) if known else HTTPS
    context = context_of(certificates, oldest=ssl.TLSVersion.TLSv1_2)
    found = shaken(context, replace(target, verify=False, server_name=name))
    assert found is not None
    assert found.problem is not None
    assert wanted in found.problem


def test_plain_http_and_silence_tell_nothing() -> None:
    async def main() -> None:
        assert await handshake(replace(HTTPS, scheme="http"), timeout_s=1) is None
        assert await handshake(replace(HTTPS, port=1), timeout_s=1) is None

    asyncio.run(main())


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x30\x01\x02"])
def test_bytes_that_are_no_certificate_have_no_end(data: bytes) -> None:
    assert expires_at_s(data) is None
