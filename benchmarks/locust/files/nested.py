"""Task sets within task sets, which users enter and leave."""

from locust import HttpUser, TaskSet, constant, task


class Users(TaskSet):
    """Looks at users, and at the orders of one."""

    @task(3)
    def every(self) -> None:
        """All of them."""
        self.client.get("/users")

    @task(2)
    class Orders(TaskSet):
        """Of one user."""

        @task(3)
        def look(self) -> None:
            """At the orders there are."""
            self.client.get("/users/1/orders", name="/users/[id]/orders")

        @task(1)
        def order(self) -> None:
            """One more."""
            self.client.post("/users/1/orders", json={"items": ["SKU-001"]})

        @task(1)
        def leave(self) -> None:
            """Back to the users."""
            self.interrupt()

    @task(1)
    def leave(self) -> None:
        """Back to the start."""
        self.interrupt()


class Visitor(HttpUser):
    """Goes in and out."""

    wait_time = constant(0)
    tasks = {Users: 3}  # noqa: RUF012 - as Locust's documentation has it

    @task(1)
    def start_page(self) -> None:
        """Outside of all task sets."""
        self.client.get("/")
