"""Which hosts may be reached, and how a base URL is read."""

import pytest

from withstand.client.target import Target, parse_target
from withstand.errors import UsageError


@pytest.mark.parametrize(
    ("url", "authority", "base_url"),
    [
        ("http://localhost", "localhost", "http://localhost"),
        ("http://LOCALHOST:80/", "localhost", "http://localhost"),
        ("https://localhost:443/api/", "localhost", "https://localhost/api"),
        ("https://127.0.0.1:8443", "127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://[::1]:8000/v1", "[::1]:8000", "http://[::1]:8000/v1"),
        ("http://[::1]", "[::1]", "http://[::1]"),
        ("http://api.localhost:443", "api.localhost:443", "http://api.localhost:443"),
    ],
)
def test_a_base_url_is_read_and_default_ports_are_left_out(
    url: str, authority: str, base_url: str
) -> None:
    target = parse_target(url)
    assert (target.authority, target.base_url) == (authority, base_url)
    assert parse_target(target.base_url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "//localhost",
        "ftp://localhost",
        "http://",
        "http://[::1",
        "http://localhost:port",
        "http://localhost:99999",
        "http://localhost:0",
        "http://localhost/?a=b",
        "http://localhost/#a",
        "http://user:password@localhost",
        "http://:password@localhost",
    ],
)
def test_what_is_no_base_url_is_an_error_with_a_hint(url: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_target(url)
    assert "base URL" in error.value.message
    assert error.value.hint


@pytest.mark.parametrize(
    "host", ["api.example.com", "192.168.0.1", "0.0.0.0", "[2001:db8::1]", "localhost.example.com"]
)
def test_a_host_beyond_this_machine_must_be_allowed_by_name(host: str) -> None:
    with pytest.raises(UsageError, match="allow"):
        parse_target(f"http://{host}", allow=("other.example.com", "example.com"))
    allowed = parse_target(f"http://{host}", allow=(host.strip("[]").upper(),))
    assert not allowed.is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "a.localhost"])
def test_this_machine_is_known_by_its_names_and_addresses(host: str) -> None:
    assert Target(scheme="http", host=host, port=80).is_loopback


def test_how_to_verify_is_carried_along() -> None:
    target = parse_target("https://localhost", verify=False, ca_file="ca.pem")
    assert (target.verify, target.ca_file, target.port) == (False, "ca.pem", 443)
