"""Puts the clients of this package under Locust's users, before any of them is made.

The user classes stay Locust's own. They look their client up when a user is made, so that it does
not matter whether a locustfile was imported before or after.
"""

import locust.clients
import locust.contrib.fasthttp
import locust.user.users
from locust.user.task import TaskSet
from locust.user.users import User

from withstand.locust_plugin.client.fast_http_session import FasterHttpSession
from withstand.locust_plugin.client.http_session import FastSession
from withstand.locust_plugin.statistics import be_quick
from withstand.locust_plugin.waiting import wait


def install() -> None:
    """Do so, for this process."""
    for module in (locust.clients, locust.user.users):
        module.HttpSession = FastSession  # type: ignore[attr-defined]
    User.withstand_due_ns = 0  # type: ignore[attr-defined]
    User.withstand_has_sent = False  # type: ignore[attr-defined]
    TaskSet.wait = wait  # type: ignore[method-assign]
    be_quick()
    locust.contrib.fasthttp.FastHttpSession = FasterHttpSession  # type: ignore[misc]
