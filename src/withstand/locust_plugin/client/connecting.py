"""Opens connections as the clients of Locust do, and fails as they do."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import locust.clients
from requests.utils import DEFAULT_CA_BUNDLE_PATH, extract_zipped_paths
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InsecureRequestWarning

from withstand.locust_plugin.client.address import Address

_UNVERIFIED: Final = (
    "Unverified HTTPS request is being made to host '{}'. Adding certificate verification is "
    "strongly advised. See: "
    "https://urllib3.readthedocs.io/en/latest/advanced-usage.html#tls-warnings"
)


def http_connector(address: Address, verify: Any, cert: Any) -> Callable[[float | None], Any]:
    """How requests connects to an address: a function of the seconds that it may take.

    Raises what urllib3 raises, and OSError for files of certificates that are not there.
    """
    for file in cert if isinstance(cert, tuple | list) else (cert,):
        if file and not Path(file).exists():
            raise OSError(f"there is no {file}")  # requests itself has more to say of it
    if address.scheme == "http":
        return lambda timeout_s: _opened(
            HTTPConnection(address.host, address.port, timeout=timeout_s)
        )
    options = _tls_options(verify, cert)

    def connect(timeout_s: float | None) -> Any:
        if not verify:
            warnings.warn(_UNVERIFIED.format(address.host), InsecureRequestWarning, stacklevel=2)
        return _opened(HTTPSConnection(address.host, address.port, timeout=timeout_s, **options))

    return connect


def _opened(connection: HTTPConnection) -> Any:
    connection.connect()
    sock, connection.sock = connection.sock, None
    return sock


def _tls_options(verify: Any, cert: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE"}
    if verify is True:
        # Reading the authorities' certificates takes tens of milliseconds; Locust does so once.
        context = getattr(locust.clients, "_preloaded_ssl_context", None)
        if context is not None and not cert:
            options["ssl_context"] = context
        else:
            options["ca_certs"] = extract_zipped_paths(DEFAULT_CA_BUNDLE_PATH)
    elif verify:
        place = "ca_cert_dir" if Path(verify).is_dir() else "ca_certs"
        options[place] = str(verify)
    if cert:
        both = (cert, None) if isinstance(cert, str) else tuple(cert)
        options["cert_file"], options["key_file"] = both
    return options
