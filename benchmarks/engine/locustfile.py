"""The same users for Locust: `locust -f locustfile.py Fast` or `Plain`."""

from locust import FastHttpUser, HttpUser, constant, task


class Fast(FastHttpUser):
    """On geventhttpclient."""

    wait_time = constant(0)

    @task
    def visit(self) -> None:
        """One request; Locust itself counts other statuses than 2xx and 3xx as failures."""
        self.client.get("/users")


class Plain(HttpUser):
    """On requests."""

    wait_time = constant(0)

    @task
    def visit(self) -> None:
        """One request."""
        self.client.get("/users")
