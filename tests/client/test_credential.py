"""Credentials in headers, cookies and query parameters."""

import pytest

from withstand.client.credential import Credential, basic_credential, sent_as
from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity
from withstand.client.masking import Mask
from withstand.client.session import (
    csrf_token,
    merged,
    session_credential,
    set_cookies,
    shows_login_again,
)

PLAIN = Request(
    method="GET",
    path="/orders?page=2&q=a%26b",
    headers=(("Accept", "*/*"), ("Cookie", "lang=en; theme=dark")),
)

TEMPLATES = [
    "Authorization: Bearer {token}",
    "Authorization: Token {token}",
    "X-Api-Key: {token}",
    "Cookie: session={token}",
    "?api_key={token}",
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_was_applied_is_stripped_and_nothing_else(template: str) -> None:
    credential = sent_as(template, "tok/en=1")
    sent = credential.apply(PLAIN)
    assert sent != PLAIN
    stripped = credential.strip(sent)
    assert stripped.path == PLAIN.path
    assert dict(stripped.headers) == dict(PLAIN.headers)


@pytest.mark.parametrize("template", TEMPLATES)
def test_one_credential_takes_the_place_of_another(template: str) -> None:
    alice, bob = sent_as(template, "alice-token"), sent_as(template, "bob-token")
    sent = bob.apply(alice.apply(PLAIN))
    assert sent == bob.apply(PLAIN)
    assert "alice-token" not in f"{sent.path} {sent.headers}"
    assert alice.with_token("bob-token") == bob


def test_cookies_and_parameters_of_others_stay() -> None:
    sent = sent_as("Cookie: session={token}", "abc").apply(PLAIN)
    assert sent.header("cookie") == "lang=en; theme=dark; session=abc"
    sent = sent_as("?key={token}", "a b&c").apply(PLAIN)
    assert sent.path == "/orders?page=2&q=a%26b&key=a%20b%26c"


def test_of_several_cookies_all_that_may_count_get_the_other_token() -> None:
    credential = session_credential({"csrftoken": "c" * 9, "sessionid": "s" * 9, "seen": "1"})
    assert credential.token == "s" * 9
    assert credential.headers == (("X-CSRFToken", "c" * 9),)
    other = credential.with_token("made-up")
    assert other.cookies == (
        ("csrftoken", "c" * 9),
        ("sessionid", "made-up"),
        ("seen", "made-up"),
    )
    assert other.headers == credential.headers


def test_a_renewed_cookie_is_new_wherever_it_is_repeated() -> None:
    credential = session_credential({"XSRF-TOKEN": "old%3D", "laravel_session": "one"})
    assert credential.headers == (("X-XSRF-TOKEN", "old="),)
    renewed = credential.with_cookie("XSRF-TOKEN", "new%3D").with_cookie("laravel_session", "two")
    assert renewed.headers == (("X-XSRF-TOKEN", "new="),)
    assert renewed.token == "two"
    assert credential.with_cookie("unknown", "x") is credential


def test_basic_credentials_are_shown_as_the_pair_that_curl_takes() -> None:
    alice = Identity(name="alice", role="user", fields={"password": "s3cret-word"})
    alice = alice.logged_in(basic_credential("al", "s3cret-word"))
    masked = Mask(alice.secrets).request(alice.authorize(PLAIN))
    assert masked.header("authorization") == "Basic base64(al:$WITHSTAND_PASSWORD_ALICE)"


def test_every_part_of_a_session_is_a_secret_but_what_says_nothing() -> None:
    credential = session_credential(
        {"sid": "session-1234", "remember": "long-lived-99", "lang": "en"}
    )
    assert credential.secrets("A") == {
        "session-1234": "$WITHSTAND_TOKEN_A",
        "long-lived-99": "$WITHSTAND_REMEMBER_A",
    }


def page(*cookies: str, body: str = "", status: int = 200, kind: str = "text/html") -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", kind), *(("Set-Cookie", each) for each in cookies)),
        body=body.encode(),
    )


@pytest.mark.parametrize(
    "gone",
    ["a=", "a=x; Max-Age=0", "a=x; expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=x; max-age=-1"],
)
def test_deleted_cookies_are_deleted(gone: str) -> None:
    assert set_cookies(page(gone)) == {"a": None}
    assert merged({"a": "1", "b": "2"}, page(gone)) == {"b": "2"}
    assert merged({"a": "1"}, page("a=2; Path=/; Max-Age=60; HttpOnly")) == {"a": "2"}


@pytest.mark.parametrize(
    ("response", "token"),
    [
        (page(body='<input value="t1" type=hidden name="csrf_token">'), ("csrf_token", "t1")),
        (
            page(body="<input name='authenticity_token' value='a&amp;b'>"),
            ("authenticity_token", "a&b"),
        ),
        (page(body='<meta name="csrf-token" content="m1">'), ("csrf-token", "m1")),
        *(
            (page(body=f'<input type=hidden name="{name}" value=t2>'), (name, "t2"))
            for name in ("__RequestVerificationToken", "_token", "note[_token]")
        ),
        (page(body='<input name="invite_token" value="t3">'), None),
        (page("XSRF-TOKEN=x%3D; Path=/"), ("XSRF-TOKEN", "x=")),
        (page(body='{"data": {"csrfToken": "j1"}}', kind="application/json"), ("csrfToken", "j1")),
        (page(body='<input name="q" value="1">'), None),
    ],
)
def test_the_token_against_forgery_is_found(
    response: Response, token: tuple[str, str] | None
) -> None:
    assert csrf_token(response) == token


def redirect(location: str) -> Response:
    return Response(status=302, headers=(("Location", location),))


@pytest.mark.parametrize(
    ("response", "again"),
    [
        (redirect("/login?failed=1"), True),
        (redirect("https://a.example/users/sign-in"), True),
        (redirect("/dashboard"), False),
        (page(body='<form><input type="password"></form>'), True),
        (page(body="<h1>Welcome</h1>"), False),
        (page(body='{"success": false}', kind="application/json"), True),
        (page(body='{"error": "wrong"}', kind="application/json"), True),
        (page(body='{"error": null, "status": "success"}', kind="application/json"), False),
    ],
)
def test_a_login_that_failed_with_a_fine_status_is_seen(response: Response, again: bool) -> None:
    assert shows_login_again(response, "/login") is again


def test_a_credential_without_a_token_stays_as_it_is() -> None:
    fixed = Credential(headers=(("X-User", "alice"),))
    assert fixed.with_token("other") is fixed
