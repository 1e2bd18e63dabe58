"""A probe of a Prometheus endpoint."""

import http.client
import ssl
from collections.abc import Mapping
from contextlib import closing
from typing import Final

from withstand.client.target import Target
from withstand.load.measurement import ServerReading
from withstand.load.probe.sample import METRIC_NAMES, ProbeError, reading_from_metrics

_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 16_000_000


class MetricsProbe:
    """Reads the text exposition at a path of a host, which is one that may be tested."""

    hint = (
        "give --metrics the address of a Prometheus text exposition, and --metric for names of "
        "its own, such as --metric memory=my_heap_bytes"
    )

    def __init__(
        self, host: Target, path: str, names: Mapping[str, tuple[str, ...]] = METRIC_NAMES
    ) -> None:
        self._host = host
        self._path = path
        self._names = names

    def read(self) -> ServerReading:
        """What the endpoint says now. Raises ProbeError."""
        where = f"{self._host.scheme}://{self._host.host}:{self._host.port}{self._path}"
        try:
            with closing(self._connection()) as connection:
                connection.request("GET", self._path, headers={"Accept": "text/plain"})
                answer = connection.getresponse()
                body = answer.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            what = str(error) or type(error).__name__
            raise ProbeError(f"{where} does not answer ({what})") from None
        if answer.status != http.client.OK:
            raise ProbeError(f"{where} answers {answer.status}")
        return reading_from_metrics(body.decode("utf-8", "replace"), self._names)

    def _connection(self) -> http.client.HTTPConnection:
        host = self._host
        if host.scheme == "http":
            return http.client.HTTPConnection(host.host, host.port, timeout=_TIMEOUT_S)
        context = ssl.create_default_context(cafile=host.ca_file)
        if not host.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            host.host, host.port, timeout=_TIMEOUT_S, context=context
        )
