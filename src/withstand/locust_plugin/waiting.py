"""The wait between two tasks, as of Locust's `TaskSet`, but for two things.

A wait of no time, after requests, is none: other users had their turn while they were under way.
And before a paced wait it is noted when it will be over.
"""

from typing import Any

from locust.exception import StopUser
from locust.user.task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    TaskSet,
)

from withstand.locust_plugin.pacing import PACING

_sleep = TaskSet._sleep


def wait(self: Any) -> None:
    """Let the user wait, and let it stop where it is to be stopped."""
    user = self._user
    if user._state == LOCUST_STATE_STOPPING:
        raise StopUser()
    user._state = LOCUST_STATE_WAITING
    PACING.before_wait(self, user)
    seconds = self.wait_time()
    if seconds == 0 and user.withstand_has_sent and type(self)._sleep is _sleep:
        user.withstand_has_sent = False
    else:
        self._sleep(seconds)
    if user._state == LOCUST_STATE_STOPPING:
        raise StopUser()
    user._state = LOCUST_STATE_RUNNING
