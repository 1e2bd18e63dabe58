"""Locust with Withstand in it: `python -m withstand.locust_plugin` takes what `locust` takes."""

import logging
import os
import signal
import sys

import withstand.locust_plugin  # noqa: F401 - before Locust reads a locustfile


def main() -> None:
    """Locust's own command."""
    from locust.main import main as locust_main

    if os.environ.pop("WITHSTAND_WITHOUT_TABLES", None):
        logging.getLogger("locust.stats_logger").addFilter(lambda _: False)
    if "--withstand-pipe" in sys.argv:
        # A shell that started the parent in the background has had Ctrl-C ignored; the parent hands
        # on what it is sent nevertheless.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[0] = "locust"
    locust_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
