"""HTTP proxies: which one leads to a target, as the environment or the user says. Pure."""

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from withstand.errors import UsageError

NO_PROXY: Final = "none"
"""In place of a proxy's address: go straight to the target, whatever the environment says."""

VARIABLES: Final = (
    "http_proxy",  # never in capitals: a CGI script's HTTP_PROXY is the request's Proxy header
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
"""The environment variables that are heeded, as curl has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy. `credential` is `user:password`, None without; it is never shown."""

    host: str
    port: int
    credential: str | None = field(default=None, repr=False)

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization; None without a credential."""
        if self.credential is None:
            return None
        return "Basic " + base64.b64encode(self.credential.encode()).decode()

    def __str__(self) -> str:
        """The address as reports show it, the credential masked."""
        masked = "" if self.credential is None else "***@"
        return f"http://{masked}{self.authority}"


def parse_proxy(text: str, *, source: str) -> Proxy:
    """The proxy of `http://user:password@host:port`, or of `host:port`.

    Raises UsageError naming the `source` (a setting, a variable), with the credential left out.
    """
    shown = text.rpartition("@")[2]
    address = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise _refused(source, f"{shown!r} is no address ({error})") from None
    if parts.scheme != "http":
        raise _refused(source, f"{parts.scheme}:// is no proxy that Withstand can speak to")
    if not parts.hostname or port == 0:
        raise _refused(source, f"{shown!r} names no host and port")
    credential = None
    if parts.username is not None:
        credential = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host=parts.hostname, port=port if port is not None else 80, credential=credential)


def proxy_for(
    scheme: str, host: str, port: int, environ: Mapping[str, str], *, loopback: bool
) -> Proxy | None:
    """The proxy that the environment names for a target; None for none.

    As curl: `http_proxy` (lower case only) or `https_proxy`, else `all_proxy`; lower case wins.
    `no_proxy` lists hosts, domains, addresses, networks, each with a port or without, or `*`.
    Unlike curl, and like Go, this machine is never reached through a proxy: elsewhere 127.0.0.1
    is another machine. Raises UsageError for a value that is no proxy.
    """
    if loopback or _bypassed(host, port, environ.get("no_proxy") or environ.get("NO_PROXY", "")):
        return None
    names = ("http_proxy",) if scheme == "http" else ("https_proxy", "HTTPS_PROXY")
    for name in (*names, "all_proxy", "ALL_PROXY"):
        if text := environ.get(name, "").strip():
            return parse_proxy(text, source=f"the environment variable {name}")
    return None


def _bypassed(host: str, port: int, listed: str) -> bool:
    return any(
        _covers(entry, host, port) for part in listed.split(",") if (entry := part.strip().lower())
    )


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass  # one of the two is a name, or the entry has a port
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdecimal() and (":" not in name or name.startswith("[")):
        return int(wanted) == port and _covers(name, host, port)
    domain = entry.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")


def _refused(source: str, why: str) -> UsageError:
    return UsageError(
        f"{source}: {why}",
        hint="write it as http://proxy.example:3128, or go straight to the target with --no-proxy",
    )
