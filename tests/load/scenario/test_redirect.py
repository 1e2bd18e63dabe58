"""Where a redirect leads."""

import pytest

from withstand.client.target import Target
from withstand.load.scenario.redirect import redirected

TARGET = Target(scheme="http", host="api.example", port=8000)
GET = b"GET /a/b?q=1 HTTP/1.1\r\nHost: api.example:8000\r\nX-Own: 1\r\n\r\n"
POST = (
    b"POST /a HTTP/1.1\r\nHost: api.example:8000\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 2\r\n\r\nhi"
)


def line(request: bytes | None) -> bytes:
    assert request is not None
    return request.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        ("/c", b"/c"),
        ("c", b"/a/c"),
        ("../c?x=1&y=%20#part", b"/c?x=1&y=%20"),
        ("?page=2", b"/a/b?page=2"),
        ("http://api.example:8000/c", b"/c"),
        ("HTTP://API.example:8000", b"/"),
        ("//api.example:8000/c", b"/c"),
        ("/c d\u00e9", b"/c%20d%C3%A9"),
    ],
)
def test_a_location_on_the_target_is_followed(location: str, wanted: bytes) -> None:
    followed = redirected(GET, 302, location, TARGET)
    assert line(followed) == b"GET " + wanted + b" HTTP/1.1"
    assert followed is not None
    assert followed.endswith(b"\r\nHost: api.example:8000\r\nX-Own: 1\r\n\r\n")


@pytest.mark.parametrize(
    "location",
    [
        "http://evil.example/",
        "https://api.example:8000/",
        "http://api.example/",
        "//evil.example:8000/",
        "http://api.example:8000@evil.example:8000/",
        "mailto:ann@api.example",
    ],
)
def test_a_location_elsewhere_is_not_followed(location: str) -> None:
    assert redirected(GET, 302, location, TARGET) is None


@pytest.mark.parametrize("location", [None, "", "http://[::1", "http://api.example:port/"])
def test_a_location_that_is_none_is_not_followed(location: str | None) -> None:
    assert redirected(GET, 302, location, TARGET) is None


@pytest.mark.parametrize("status", [301, 302, 303])
def test_after_a_post_the_answer_is_fetched(status: int) -> None:
    assert redirected(POST, status, "/c", TARGET) == (
        b"GET /c HTTP/1.1\r\nHost: api.example:8000\r\n\r\n"
    )


@pytest.mark.parametrize("status", [307, 308])
def test_where_it_must_not_change_the_request_goes_on_as_it_is(status: int) -> None:
    assert redirected(POST, status, "/c", TARGET) == POST.replace(b"/a ", b"/c ")


def test_what_is_no_post_keeps_its_method() -> None:
    put = POST.replace(b"POST", b"PUT")
    assert redirected(put, 302, "/c", TARGET) == put.replace(b"/a ", b"/c ")
    head = GET.replace(b"GET", b"HEAD")
    assert line(redirected(head, 303, "/c", TARGET)) == b"HEAD /c HTTP/1.1"
    assert line(redirected(put, 303, "/c", TARGET)) == b"GET /c HTTP/1.1"


def test_through_a_proxy_the_whole_address_is_named_again() -> None:
    asked = GET.replace(b"/a/b", b"http://api.example:8000/a/b")
    assert line(redirected(asked, 302, "c", TARGET)) == (
        b"GET http://api.example:8000/a/c HTTP/1.1"
    )
