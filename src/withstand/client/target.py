"""The target: the one host that requests may go to, and how to speak to it."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from withstand.client.proxy import Proxy
from withstand.errors import UsageError

_AS_URL = 'write it as base_url = "https://api.staging.example.com"'
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the API is served, as the user gave it; never taken from the document's `servers`.

    `base_path` has no trailing slash and is empty at the root. `verify` False accepts any
    certificate; `ca_file` adds a certificate authority to the system's. `cert_file` and `key_file`
    are the client's own certificate (PEM; without a key file it holds both). `server_name` stands
    for the host in TLS: in the server name indication, and in what the certificate must name.
    `proxy` is how to get there; None for straight.
    """

    scheme: str
    host: str
    port: int
    base_path: str = ""
    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    proxy: Proxy | None = None

    @property
    def base_url(self) -> str:
        """The address as a URL without a trailing slash; default ports are left out."""
        return f"{self.scheme}://{self.authority}{self.base_path}"

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the target is this machine by name or address (no look-up is made)."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_target(
    url: str,
    *,
    allow: tuple[str, ...] = (),
    verify: bool = True,
    ca_file: str | None = None,
) -> Target:
    """The target of a base URL.

    Only loopback hosts and those in `allow` are accepted: the tool attacks only what it was told
    to. Raises UsageError naming the host and the setting that would allow it.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an open bracket, say
        raise UsageError(f"the base URL {url!r} is no address: {error}", hint=_AS_URL) from None
    try:
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the base URL {url!r} has a bad port: {error}", hint=_AS_URL) from None
    if port == 0:
        raise UsageError(f"the base URL {url!r} has port 0, which nobody serves", hint=_AS_URL)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UsageError(
            f"the base URL {url!r} is no http or https address",
            hint=_AS_URL,
        )
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(
            f"the base URL {url!r} carries a query, a fragment or a user name",
            hint="give only scheme, host, port and path; credentials go into [login]",
        )
    target = Target(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port if port is not None else _DEFAULT_PORTS[parts.scheme],
        base_path=parts.path.rstrip("/"),
        verify=verify,
        ca_file=ca_file,
    )
    if not target.is_loopback and target.host not in map(str.lower, allow):
        raise UsageError(
            f"{target.host} is not on this machine and not in the list of allowed hosts",
            hint=f'if you may test it, set allow = ["{target.host}"] under [target], '
            f"or pass --allow {target.host}",
        )
    return target
