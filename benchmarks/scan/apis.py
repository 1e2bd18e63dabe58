"""The APIs that the scan is proved on: the shop and the clinic, each with flaws of its own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.clinic.running import config_for
from tests.clinic.running import running as clinic_running
from tests.demo.running import running as shop_running

from withstand.demo.config import render

APIS = ("shop", "clinic")
NEED_HTTPS = frozenset({"no-https-redirect", "no-hsts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An API that is being served: its address and the text of its withstand.toml."""

    url: str
    config: str

    def through(self, port: int) -> str:
        """The configuration for a proxy in front of it."""
        return self.config.replace(f":{urlsplit(self.url).port}", f":{port}")


@contextlib.contextmanager
def running(api: str, *flaws: str) -> Iterator[Running]:
    """The API with these flaws, in a process of its own."""
    if api == "clinic":
        with clinic_running(*flaws) as url:
            yield Running(url=url, config=config_for(url))
        return
    https = ("--https", "--http-port", "0") if NEED_HTTPS & set(flaws) else ()
    with shop_running("--flaws", ",".join(flaws), *https) as demo:
        plain = demo.words.get("http_url")
        config = render(
            port=urlsplit(demo.words["url"]).port or 0,
            https=plain is not None,
            http_port=urlsplit(plain).port if plain else None,
            ca_file=demo.words.get("ca_file"),
        )
        yield Running(url=demo.words["url"], config=config)
