"""Answers that the locustfile judges itself."""

from locust import HttpUser, constant, task


class Judge(HttpUser):
    """Reads every answer."""

    wait_time = constant(0)

    @task(3)
    def users(self) -> None:
        """Good only with the right content."""
        with self.client.get("/users", catch_response=True) as response:
            if response.json()["role"] != "user":
                response.failure("another role")
            elif response.elapsed.total_seconds() > 30:
                response.failure("too slow")

    @task(1)
    def nothing(self) -> None:
        """Declared good whatever it is."""
        with self.client.get("/nothing", name="/nothing", catch_response=True) as response:
            response.success()
