"""Locust with Withstand in it: `python -m withstand.locust_plugin` takes what `locust` takes."""

import logging
import os
import sys

import withstand.locust_plugin  # noqa: F401 - before Locust reads a locustfile


def main() -> None:
    """Locust's own command."""
    from locust.main import main as locust_main

    if os.environ.pop("WITHSTAND_WITHOUT_TABLES", None):
        logging.getLogger("locust.stats_logger").addFilter(lambda _: False)
    sys.argv[0] = "locust"
    locust_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
