"""The rows: a locustfile, and how Locust runs it, with Withstand in it and without."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contest import Contestant
from nginx import Nginx
from tools import CONNECTIONS, beside_python

FILES = Path(__file__).parent / "files"
STOCK, OURS = "stock", "withstand"
TARGETS = {"HttpUser": 20.0, "FastHttpUser": 4.5}


@dataclass(frozen=True)
class Row:
    """A file's user class, of a kind. `small` says that the target holds: small JSON, no TLS.

    `timed` is a file that ends its run itself, by --run-time and a clock that begins with its
    users. The others run until they are told to end: Locust's own clock begins before its imports,
    and with a shape it listens to nobody.
    """

    title: str
    kind: str
    file: str
    user: str
    tls: bool = False
    small: bool = True
    timed: bool = False

    @property
    def target(self) -> float | None:
        """How many times the stock requests per second and core are promised, if any."""
        return TARGETS[self.kind] if self.small else None


ROWS = {
    "page": Row("the page's locustfile", "HttpUser", "page_flat_out.py", "FlatOut"),
    "get": Row("one GET", "HttpUser", "get.py", "Plain"),
    "nested": Row("nested task sets", "HttpUser", "nested.py", "Visitor"),
    "sequential": Row("a SequentialTaskSet", "HttpUser", "sequential.py", "Customer"),
    "catch-response": Row("catch_response", "HttpUser", "catch_response.py", "Judge"),
    "custom-wait": Row("a wait function of its own", "HttpUser", "custom_wait.py", "Restless"),
    "session": Row("signing in and out, query", "HttpUser", "session.py", "Customer"),
    "shape": Row("a LoadTestShape", "HttpUser", "shape.py", "Visitor", timed=True),
    "fast": Row("weighted tasks and rest()", "FastHttpUser", "fast.py", "ApiUser"),
    "fast-get": Row("one GET", "FastHttpUser", "get.py", "Fast"),
    "tls": Row("one GET over TLS", "HttpUser", "get.py", "PlainTls", tls=True, small=False),
    "fast-tls": Row("one GET over TLS", "FastHttpUser", "get.py", "Fast", tls=True, small=False),
    "body": Row("a body of 10 kB", "HttpUser", "get.py", "PlainLarge", small=False),
    "fast-body": Row("a body of 10 kB", "FastHttpUser", "get.py", "FastLarge", small=False),
}
"""Every row by the name that `--only` takes; `memory` is one more."""


def command(variant: str, file: str, user: str, url: str, users: int) -> list[str]:
    """Locust's command line but for its end: both variants take the same."""
    begin = {
        STOCK: [beside_python("locust")],
        OURS: [sys.executable, "-m", "withstand.locust"],
    }[variant]
    return [*begin, "-f", str(FILES / file), user, "--headless", "--skip-log", "--only-summary",
            "-u", str(users), "-r", str(users), "-H", url]  # fmt: skip


def contestants(row: Row, nginx: Nginx, folder: Path) -> list[Contestant]:
    """Stock Locust, then Withstand's."""
    return [_contestant(variant, row, nginx, folder) for variant in (STOCK, OURS)]


def _contestant(variant: str, row: Row, nginx: Nginx, folder: Path) -> Contestant:
    url = nginx.tls_url if row.tls else nginx.url
    statistics = folder / f"{variant}.json"
    base = command(variant, row.file, row.user, url, CONNECTIONS)

    def whole(seconds: int) -> list[str]:
        statistics.unlink(missing_ok=True)
        end = ["-t", f"{seconds}s"] if row.timed else []
        return [*base, *end, "--json-file", str(statistics.with_suffix(""))]

    return Contestant(variant, whole, _counter(statistics), endless=not row.timed)


def _counter(statistics: Path) -> Callable[[str], int]:
    def count(_text: str) -> int:
        entries = json.loads(statistics.read_text())
        failures = sum(int(entry["num_failures"]) for entry in entries)
        if failures:
            raise ValueError(f"{failures:,} of its requests failed by its own count")
        return sum(int(entry["num_requests"]) for entry in entries)

    return count
