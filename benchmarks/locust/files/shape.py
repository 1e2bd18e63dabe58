"""A load shape: up by ten users every second, from 20 to 50."""

from locust import HttpUser, LoadTestShape, constant, task


class Visitor(HttpUser):
    """Sends whenever it can."""

    wait_time = constant(0)

    @task
    def visit(self) -> None:
        """One request."""
        self.client.get("/users")


class Steps(LoadTestShape):
    """For as long as --run-time says, by its own clock."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """How many users now, and how many are started per second; None ends the run."""
        elapsed_s = self.get_run_time()
        if elapsed_s > self.runner.environment.parsed_options.run_time:
            return None
        return min(20 + 10 * int(elapsed_s), 50), 50
