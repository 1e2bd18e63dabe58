"""Who the configured identities are, and what they have: to compare before and after a scan."""

from typing import Any

import httpx2
from tests.clinic.people import ALICE, BOB, DORA, ROOT

from withstand.demo.seed import IDENTITIES

Belongings = dict[str, dict[str, Any]]
"""Identity → its profile, and how many things each of its lists shows."""

_CLINIC_LISTS = ("appointments", "messages", "documents", "calendar-feeds")


def belongings(api: str, url: str) -> Belongings:
    """What everybody has. Raises when one cannot log in with the configured password."""
    with httpx2.Client(base_url=url, timeout=20, verify=False) as client:
        return _clinic(client) if api == "clinic" else _shop(client)


def _shop(client: httpx2.Client) -> Belongings:
    found: Belongings = {}
    for person in IDENTITIES:
        body = {"email": person.email, "password": person.password}
        token = client.post("/auth/token", json=body).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        profile = client.get("/users/me", headers=headers).raise_for_status().json()
        found[person.name] = {"profile": profile}
    return found


def _clinic(client: httpx2.Client) -> Belongings:
    found: Belongings = {}
    for person in (ALICE, BOB, DORA, ROOT):
        client.cookies.clear()
        body = {"email": person.email, "password": person.password}
        client.post("/v2/login", json=body).raise_for_status()
        profile = client.get("/v2/me").raise_for_status().json()["data"]
        del profile["credit_cents"]  # everybody's own vouchers are bought and redeemed
        lists = {
            name: len(client.get(f"/v2/{name}").raise_for_status().json()["data"])
            for name in _CLINIC_LISTS
        }
        found[person.name] = {"profile": profile, **lists}
    return found
