"""A session: signs in, looks with the parameters of a query, orders and signs out."""

from locust import HttpUser, SequentialTaskSet, constant, task


class Journey(SequentialTaskSet):
    """Of a customer."""

    @task
    def sign_in(self) -> None:
        """What comes back is the credential of the other steps."""
        answer = self.client.post("/auth/token", json={"email": "a@example.com"})
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    @task
    def look(self) -> None:
        """With parameters of a query."""
        self.client.get("/users", params={"page": 1, "size": 20}, name="/users")

    @task
    def order(self) -> None:
        """What was seen."""
        self.client.post("/orders", json={"items": ["SKU-001"], "note": "to the door"})

    @task
    def sign_out(self) -> None:
        """Without a body."""
        self.client.delete("/auth/session")
        self.client.headers.pop("Authorization")


class Customer(HttpUser):
    """Begins anew at the end."""

    wait_time = constant(0)
    tasks = [Journey]  # noqa: RUF012 - as Locust's documentation has it
