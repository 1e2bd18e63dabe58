"""A wait function of the locustfile's own: a few milliseconds, mostly less."""

import random

from locust import HttpUser, task


class Restless(HttpUser):
    """Waits one millisecond on average, so that its core stays busy."""

    def wait_time(self) -> float:
        """Another one each time."""
        return random.expovariate(1000)

    @task
    def visit(self) -> None:
        """One request."""
        self.client.get("/users")
