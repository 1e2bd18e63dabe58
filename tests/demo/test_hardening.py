"""What holds for every operation: headers, origins, sizes, and bodies that are none."""

import socket

import httpx2
import pytest

from .running import RunningDemo

JSON = {"Content-Type": "application/json"}
ALLOWED = "https://app.example.com"
FOREIGN = [
    "https://evil.example.com",
    "https://app.example.com.evil.example",
    "https://evilapp.example.com",
    "http://app.example.com",
    "null",
]


@pytest.mark.parametrize(
    "path", ["/health", "/users", "/nowhere", "/products?q=%00", "/openapi.json"]
)
def test_every_response_carries_the_security_headers_and_no_banner(
    demo: RunningDemo, path: str
) -> None:
    headers = demo.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers
    assert not {"server", "x-powered-by"} & {name.lower() for name in headers}


def test_a_request_that_is_not_http_is_refused_with_the_same_headers(demo: RunningDemo) -> None:
    address = ("127.0.0.1", httpx2.URL(demo.words["url"]).port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"nosniff" in answer
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("cookie", [{}, {"Cookie": "session=1"}])
def test_a_foreign_origin_is_not_allowed(
    demo: RunningDemo, origin: str, cookie: dict[str, str]
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET", **cookie}

    for answer in (
        demo.client.get("/health", headers={"Origin": origin, **cookie}),
        demo.client.options("/users", headers=asked),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers


def test_the_known_origin_is_allowed_also_to_read_refusals(demo: RunningDemo) -> None:
    asked = {
        "Origin": ALLOWED,
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
    }

    for answer in (
        demo.client.get("/users", headers={"Origin": ALLOWED}),
        demo.client.options("/orders/x", headers=asked),
    ):
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"items": NaN}',
        b"\xff\xfe",
        b"[" * 3000 + b"]" * 3000,
        b'{"note": "\\ud800"}',
        b'{"\\u0000": 1}',
    ],
)
def test_a_body_that_is_no_order_is_refused(demo: RunningDemo, body: bytes) -> None:
    refused = demo.request("POST", "/orders", as_="bob", content=body, headers=JSON)

    assert refused.status_code == 422


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "nonsense"])
def test_a_body_of_another_type_is_refused(demo: RunningDemo, content_type: str) -> None:
    refused = demo.request(
        "POST",
        "/orders",
        as_="bob",
        content=b'{"items": ["SKU-001"]}',
        headers={"Content-Type": content_type},
    )

    assert refused.status_code == 422


def test_a_large_body_is_refused_whether_announced_or_not(demo: RunningDemo) -> None:
    piece = b"x" * 10_000

    announced = demo.request("POST", "/orders", as_="bob", content=piece * 10, headers=JSON)
    streamed = demo.request("POST", "/orders", as_="bob", content=iter([piece] * 10), headers=JSON)

    assert announced.status_code == streamed.status_code == 413


@pytest.mark.parametrize("method", ["HEAD", "PUT", "TRACE", "QUERY", "OPTIONS"])
def test_other_methods_are_not_served(demo: RunningDemo, method: str) -> None:
    refused = demo.request(method, "/users", as_="alice")

    assert refused.status_code == 405
    assert refused.headers["allow"]


def test_there_is_nothing_beside_the_documented_operations(demo: RunningDemo) -> None:
    for path in ("/", "/docs", "/redoc", "/admin", "/metrics", "/debug", "/.env", "/users/"):
        assert demo.client.get(path).status_code == 404
