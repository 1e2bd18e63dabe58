"""Steps one after the other."""

from locust import HttpUser, SequentialTaskSet, constant, task


class Journey(SequentialTaskSet):
    """Of a customer."""

    @task
    def look(self) -> None:
        """At everything."""
        self.client.get("/products")

    @task
    def choose(self) -> None:
        """What was seen, and remember it."""
        self.chosen = self.client.get("/products/1").json()["id"]

    @task
    def order(self) -> None:
        """That."""
        self.client.post("/orders", json={"items": [self.chosen]})

    @task
    def leave(self) -> None:
        """A look at what was ordered."""
        self.client.get("/orders/1", name="/orders/[id]")


class Customer(HttpUser):
    """Begins anew at the end."""

    wait_time = constant(0)
    tasks = [Journey]  # noqa: RUF012 - as Locust's documentation has it
