"""One GET, over and over, with each of Locust's users: small and large, plain and over TLS."""

import os

from locust import FastHttpUser, HttpUser, constant, task


class Plain(HttpUser):
    """On requests."""

    wait_time = constant(0)
    path = "/users"

    @task
    def visit(self) -> None:
        """One request; Locust counts other statuses than 2xx and 3xx as failures."""
        self.client.get(self.path)


class PlainTls(Plain):
    """Trusts the certificate of the benchmark's server."""

    def on_start(self) -> None:
        """For this user's session."""
        self.client.verify = os.environ["WITHSTAND_BENCH_CA"]


class PlainLarge(Plain):
    """A body of 10 kB."""

    path = "/large.json"


class Fast(FastHttpUser):
    """On geventhttpclient, which over TLS trusts every certificate unless told otherwise."""

    wait_time = constant(0)
    path = "/users"

    @task
    def visit(self) -> None:
        """One request."""
        self.client.get(self.path)


class FastLarge(Fast):
    """A body of 10 kB."""

    path = "/large.json"
