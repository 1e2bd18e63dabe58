"""Where redirects lead."""

import pytest

from withstand.client.redirect import Hop, hop
from withstand.client.target import Target

TARGET = Target(scheme="http", host="api.example.com", port=80)


def led(status: int, location: str | None, method: str = "GET", path: str = "/a/b?q=1") -> object:
    return hop(TARGET, method=method, path=path, status=status, location=location)


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "GET", "GET", True),
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (302, "PUT", "PUT", True),
        (303, "POST", "GET", False),
        (303, "DELETE", "GET", False),
        (303, "HEAD", "HEAD", True),
        (307, "POST", "POST", True),
        (308, "PATCH", "PATCH", True),
    ],
)
def test_the_method_changes_as_in_browsers(
    status: int, method: str, then: str, keeps_body: bool
) -> None:
    assert led(status, "/x", method) == Hop(method=then, path="/x", keeps_body=keeps_body)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/x?y=1#z", "/x?y=1"),
        ("c", "/a/c"),
        ("../c", "/c"),
        ("?q=2", "/a/b?q=2"),
        ("http://api.example.com", "/"),
        ("HTTP://API.example.com:80/x", "/x"),
        ("//api.example.com/x", "/x"),
    ],
)
def test_the_location_is_resolved_against_the_request(location: str, path: str) -> None:
    assert led(302, location) == Hop(method="GET", path=path, keeps_body=True)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        (None, "without a Location"),
        ("", "without a Location"),
        ("https://api.example.com/x", "another host"),
        ("http://api.example.com:8080/x", "another host"),
        ("http://evil.example/x", "another host"),
        ("//evil.example/x", "another host"),
        ("http://[bad/x", "no address"),
        ("http://api.example.com:99999/x", "no address"),
    ],
)
def test_nothing_but_the_target_is_followed_to(location: str | None, why: str) -> None:
    assert why in str(led(302, location))
