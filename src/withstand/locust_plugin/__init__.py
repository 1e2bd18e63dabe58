"""Withstand inside Locust: a faster client under its users, and exact results.

One line at the top of a locustfile, before it imports Locust, does it under Locust's own command:

    import withstand.locust_plugin

Importing this package imports Locust, which patches the process with gevent. Nothing else of
Withstand imports it: `withstand load` runs it in a process of its own.
"""

import locust

from withstand.locust_plugin.versions import require_known_locust

require_known_locust(locust.__version__)

from withstand.locust_plugin.plugin import PLUGIN  # noqa: E402 - only with a Locust that is known

PLUGIN.begin(locust.events)
