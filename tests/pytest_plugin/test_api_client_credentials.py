"""The client of tests acts by cookies and query parameters as by headers."""

from typing import Any

import httpx2
import pytest

from withstand.client.credential import Credential, sent_as
from withstand.client.session import session_credential
from withstand.client.target import parse_target
from withstand.pytest_plugin.api_client import ApiClient

HOSTS = ["http://127.0.0.1:8000", "http://localhost:8000"]


def seen_by(base_url: str, credential: Credential, **options: Any) -> httpx2.Request:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200)

    with ApiClient(
        target=parse_target(base_url),
        credential=credential,
        transport=httpx2.MockTransport(answer),
    ) as client:
        client.get("/me?page=2", **options)
    return seen[0]


@pytest.mark.parametrize("url", HOSTS)
def test_a_session_is_sent_with_its_token_against_forgery(url: str) -> None:
    session = session_credential({"sessionid": "abc-123", "csrftoken": "forge-1"})
    request = seen_by(url, session)
    assert set(request.headers["cookie"].split("; ")) == {"sessionid=abc-123", "csrftoken=forge-1"}
    assert request.headers["x-csrftoken"] == "forge-1"

    anonymous = seen_by(url, session, headers={})
    assert "cookie" not in anonymous.headers
    assert "x-csrftoken" not in anonymous.headers


@pytest.mark.parametrize("url", HOSTS)
def test_a_key_goes_into_the_query_beside_what_is_there(url: str) -> None:
    key = sent_as("?api_key={token}", "k 1")
    request = seen_by(url, key)
    assert dict(request.url.params) == {"page": "2", "api_key": "k 1"}
    assert dict(seen_by(url, key, headers={}).url.params) == {"page": "2"}
