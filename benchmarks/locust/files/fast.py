"""FastHttpUser: signs in, then reads and writes with a credential."""

from locust import FastHttpUser, constant, task


class ApiUser(FastHttpUser):
    """On geventhttpclient."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Sign in."""
        answer = self.client.post("/auth/token", json={"email": "a@example.com"})
        self.credential = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @task(3)
    def read(self) -> None:
        """All users."""
        self.client.get("/users", headers=self.credential)

    @task(1)
    def write(self) -> None:
        """An order, by the way that parses the answer."""
        with self.rest("POST", "/orders", json={"items": ["SKU-001"]}) as answer:
            if answer.js is None or answer.js["id"] != 1:
                answer.failure("another order")
