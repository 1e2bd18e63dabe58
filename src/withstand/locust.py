"""Withstand inside Locust: a faster client under its users, and exact results.

One line at the top of a locustfile does it under Locust's own command:

    import withstand.locust

Importing this module imports Locust, which patches the process with gevent; nothing else of
Withstand imports it. `withstand load` runs it in a process of its own, as
`python -m withstand.locust`, which takes what `locust` takes.
"""

import logging
import os
import sys

from withstand.locust_plugin.versions import require_known_locust

try:
    import locust
except ModuleNotFoundError as missing:
    if missing.name != "locust":
        raise
    require_known_locust(None)
require_known_locust(locust.__version__)

from withstand.locust_plugin.plugin import PLUGIN  # noqa: E402 - only with a Locust that is known

PLUGIN.begin(locust.events)


def main() -> None:
    """Locust's own command."""
    from locust.main import main as locust_main

    if os.environ.pop("WITHSTAND_WITHOUT_TABLES", None):
        logging.getLogger("locust.stats_logger").addFilter(lambda _: False)
    sys.argv[0] = "locust"
    locust_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
