"""Cookies as RFC 6265 has browsers keep them."""

import pytest

from withstand.client.cookies import MAX_COOKIES, CookieJar, cookie_date_s, parsed_cookie

NOW = 1_800_000_000.0


def jar(*lines: str, path: str = "/", secure: bool = False) -> CookieJar:
    made = CookieJar("api.example.com", secure=secure)
    for line in lines:
        made.take(line, path=path, now_s=NOW)
    return made


def test_a_cookie_comes_back_and_the_newest_value_counts() -> None:
    found = jar("a=1", "b=2; HttpOnly; SameSite=Lax", "a=3")
    assert found.header("/any", now_s=NOW) == "a=3; b=2"
    assert found.get("a") == "3"
    assert found.get("c") is None


@pytest.mark.parametrize(
    ("scope", "path", "applies"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b?x=/c", True),
        ("/a/", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/b", "/a", False),
        ("/", "/x", True),
    ],
)
def test_a_path_covers_what_lies_below_it(scope: str, path: str, applies: bool) -> None:
    assert bool(jar(f"n=1; Path={scope}").header(path, now_s=NOW)) is applies


def test_without_a_path_the_folder_of_the_request_counts() -> None:
    found = jar("n=1", path="/shop/cart/add?x=1")
    assert found.header("/shop/cart/list", now_s=NOW) == "n=1"
    assert found.header("/shop", now_s=NOW) == ""


def test_longer_paths_come_first() -> None:
    assert jar("a=1; Path=/", "b=2; Path=/x").header("/x", now_s=NOW) == "b=2; a=1"


@pytest.mark.parametrize(
    ("domain", "kept"),
    [
        ("api.example.com", True),
        (".Example.com", True),
        ("example.com", True),
        ("other.com", False),
        ("pi.example.com", False),
        ("", True),
    ],
)
def test_a_cookie_for_another_host_is_ignored(domain: str, kept: bool) -> None:
    assert len(jar(f"n=1; Domain={domain}")) == kept


def test_a_secure_cookie_needs_tls() -> None:
    assert len(jar("n=1; Secure")) == 0
    assert jar("n=1; Secure", secure=True).header("/", now_s=NOW) == "n=1"


def test_what_has_expired_is_gone_and_max_age_wins_over_expires() -> None:
    later = "Wed, 09 Jun 2100 10:18:14 GMT"
    found = jar("a=1; Max-Age=10; Expires=" + later, "b=2; Expires=" + later)
    assert found.header("/", now_s=NOW + 9) == "a=1; b=2"
    assert found.header("/", now_s=NOW + 10) == "b=2"
    found.take("b=; Max-Age=0", path="/", now_s=NOW)
    assert len(found) == 1
    assert len(jar("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT")) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:00:10 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777.0),
        ("Sun Nov  6 08:49:37 1994", 784_111_777.0),
        ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400.0),
        ("Wed, 09-Jun-2100 10:18:14 GMT", 4_116_219_494.0),
        ("06 Nov 1994 24:00:00", None),
        ("32 Nov 1994 08:49:37", None),
        ("06 Nov 1600 08:49:37", None),
        ("Nov 1994 08:49:37", None),
        ("soon", None),
    ],
)
def test_dates_of_every_form_in_use_are_read(text: str, seconds: float | None) -> None:
    assert cookie_date_s(text) == seconds


@pytest.mark.parametrize("line", ["", "no-value", "=x", "; Path=/", "n=" + "x" * 5000])
def test_what_is_no_cookie_is_ignored(line: str) -> None:
    assert parsed_cookie(line, host="h", path="/", now_s=NOW) is None


def test_the_jar_is_bounded_and_the_oldest_goes_first() -> None:
    found = jar(*(f"c{n}={n}" for n in range(MAX_COOKIES + 5)))
    assert len(found) == MAX_COOKIES
    assert found.get("c4") is None
    assert found.get("c5") == "5"


def test_it_knows_whether_every_request_carries_the_same() -> None:
    assert jar("a=1; Path=/").is_uniform
    assert not jar("a=1; Path=/x").is_uniform
    assert not jar("a=1; Path=/; Max-Age=60").is_uniform


def test_every_change_is_told() -> None:
    told: list[None] = []
    found = CookieJar("h", secure=False, changed=lambda: told.append(None))
    found.set("a", "1")
    found.take("b=1", path="/", now_s=NOW)
    found.take("b=1; Max-Age=0", path="/", now_s=NOW)
    found.clear()
    assert len(told) == 4
