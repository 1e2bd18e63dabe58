"""The locustfile of the page that Withstand is measured by, word for word."""

import logging

from locust import HttpUser, between, task

log = logging.getLogger(__name__)


class ApiUser(HttpUser):
    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        response = self.client.post(
            "/auth/token",
            json={
                "email": "loadtest@example.com",
                "password": "Test@1234",
            },
        )
        self.token = response.json()["access_token"]
        log.info("Load test user authenticated")

    @task(3)
    def get_users(self) -> None:
        self.client.get(
            "/users",
            headers={"Authorization": f"Bearer {self.token}"},
            name="/users",
        )

    @task(1)
    def create_order(self) -> None:
        self.client.post(
            "/orders",
            json={"items": ["SKU-001"]},
            headers={"Authorization": f"Bearer {self.token}"},
            name="/orders",
        )
