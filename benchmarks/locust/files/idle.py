"""Users that make one request and then rest: what one takes of memory."""

from locust import FastHttpUser, HttpUser, constant, task


class Plain(HttpUser):
    """On requests."""

    wait_time = constant(1000)

    @task
    def visit(self) -> None:
        """The only request."""
        self.client.get("/users")


class Fast(FastHttpUser):
    """On geventhttpclient."""

    wait_time = constant(1000)

    @task
    def visit(self) -> None:
        """The only request."""
        self.client.get("/users")
