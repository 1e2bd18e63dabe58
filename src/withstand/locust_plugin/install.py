"""Puts the clients of this package under Locust's users, before any of them is made.

The user classes stay Locust's own. They look their client up when a user is made, so that it does
not matter whether a locustfile was imported before or after.
"""

import locust.clients
import locust.contrib.fasthttp
import locust.user.users

from withstand.locust_plugin.client.fast_http_session import FasterHttpSession
from withstand.locust_plugin.client.http_session import FastSession


def install() -> None:
    """Do so, for this process."""
    for module in (locust.clients, locust.user.users):
        module.HttpSession = FastSession  # type: ignore[attr-defined]
    locust.contrib.fasthttp.FastHttpSession = FasterHttpSession  # type: ignore[misc]
