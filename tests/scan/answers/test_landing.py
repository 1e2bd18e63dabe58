"""Post/Redirect/Get: the page that follows a write says whether it was done, and what it made."""

import asyncio
from collections.abc import Callable

import pytest

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.form_body import fields_of
from withstand.client.scripted import Scripted
from withstand.client.target import parse_target
from withstand.scan.answers.landing import is_gone
from withstand.scan.wire.courier import Budget, Courier

Site = Callable[[Request], Response]
TEXT = "ws0123456789abcdef01234567"
LOGIN = "<form action=/enter>Log in <input name=user><input type=password name=secret></form>"


def sent(site: Site, request: Request) -> tuple[Exchange, list[Request]]:
    """The exchange as a check gets it, and all that was asked."""
    transport = Scripted(site)
    courier = Courier(transport, Budget(), target=parse_target("http://127.0.0.1:9"))
    exchange = asyncio.run(courier.send(request))
    return exchange, [each.request for each in transport.exchanges]


def form(path: str = "/notes", **fields: str) -> Request:
    return Request(
        method="POST",
        path=path,
        headers=(("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "sid=7")),
        body="&".join(f"{name}={value}" for name, value in fields.items()).encode(),
    )


def parts(path: str = "/notes", **fields: str) -> Request:
    """The same form as with a file in it."""
    file = b'--b7\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n\0\r\n'
    texts = (
        f'--b7\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return Request(
        method="POST",
        path=path,
        headers=(("Content-Type", 'multipart/form-data; boundary="b7"'), ("Cookie", "sid=7")),
        body=file + "".join(texts).encode() + b"--b7--\r\n",
    )


def html(body: str, status: int = 200, *headers: tuple[str, str]) -> Response:
    head = (("Content-Type", "text/html"), *headers)
    return Response(status=status, headers=head, body=body.encode())


def led(location: str, status: int = 303, *headers: tuple[str, str]) -> Response:
    return Response(status=status, headers=(("Location", location), *headers))


def site_with(
    page: str, location: str = "/notes", *, later: str | None = None, status: int = 303
) -> Site:
    """Answers writes by a redirect; `later` is the page from the second look on."""
    pages = iter([page])

    def site(request: Request) -> Response:
        if request.method != "GET":
            return led(location, status)
        return html(next(pages, page if later is None else later))

    return site


@pytest.mark.parametrize("status", [302, 303])
@pytest.mark.parametrize(
    "page",
    [
        "<h1>Notes</h1>",
        '<p class="flash success">Saved.</p>',
        '<div class="alert alert-success">Planted. No further action is required.</div>',
        '<div class="messages"><p class="msg-ok">Saved. Do not forget the rest.</p></div>',
        '<div class="toast success"><p role="alert">A missing item was reported.</p></div>',
        '<div role="alert" class="alert">Your note is there.</div>',
        '<span class="error"></span><span class="error" hidden>Too long</span>',
        "<form action=/password>New password <input type=password name=p></form>",
    ],
)
def test_a_page_without_a_refusal_says_yes(page: str, status: int) -> None:
    exchange, asked = sent(site_with(page, status=status), form(title=TEXT))

    assert exchange.succeeded
    assert exchange.status == status
    assert exchange.response is not None
    assert exchange.response.text == page
    assert [(each.method, each.header("cookie")) for each in asked] == [
        ("POST", "sid=7"),
        ("GET", "sid=7"),
    ]


@pytest.mark.parametrize(
    "page",
    [
        '<p class="flash error">Nothing was saved.</p>',
        '<ul class="errorlist"><li>A title, please</li></ul>',
        '<div role="alert">The title is required.</div>',
        '<div class="messages"><p class="success">Hello.</p><p>You may not do that.</p></div>',
        '<div class="done"><p class="error">Nothing was saved.</p></div>',
        '<div class="alert alert-success alert-danger">Nothing was saved.</div>',
        '<ul class="flashes"><li>You may not do that.</li></ul>',
        '<ul class="flashes"><li>Keine Berechtigung.</li></ul>',
        '<div class="alert">Vous n\'avez pas le droit : accès refusé</div>',
        '<div class="toast">Acceso denegado</div>',
        "<title>Forbidden</title><p>Ask somebody.</p>",
        "<h1>Access denied</h1>",
        f"<h1>Welcome</h1>{LOGIN}",
    ],
)
def test_a_login_an_error_and_a_message_that_something_went_wrong_say_no(page: str) -> None:
    exchange, _ = sent(site_with(page, later="<h1>Notes</h1>"), form(title=TEXT))

    assert not exchange.succeeded
    assert exchange.response is not None
    assert exchange.response.accepted is False


def test_a_text_that_the_page_always_shows_is_no_message_about_this_write() -> None:
    always = '<div class="invalid-feedback">A title is required.</div>'

    assert sent(site_with(always), form(title=TEXT))[0].succeeded


@pytest.mark.parametrize(
    "location",
    ["/login", "/login?next=/notes", "/users/sign_in", "/notes?error=1", "/notes?msg=Not+allowed"],
)
def test_where_it_leads_may_say_no_by_itself(location: str) -> None:
    assert not sent(site_with("<h1>Here</h1>", location), form(title=TEXT))[0].succeeded


@pytest.mark.parametrize(
    ("path", "location", "accepted"),
    [
        ("/errors", "/errors/7", True),
        ("/errors", "/errors?error=1", False),
        ("/anmeldungen", "/anmeldungen/7", True),
        ("/login", "/login", False),
        ("/login", "/login/failed", False),
        ("/login", "/anmeldungen/7", False),
    ],
)
def test_a_word_that_what_was_sent_has_in_its_own_address_is_no_refusal(
    path: str, location: str, accepted: bool
) -> None:
    exchange, _ = sent(site_with("<h1>Here</h1>", location), form(path, title=TEXT))

    assert exchange.succeeded is accepted


def test_a_sign_up_may_lead_to_the_login() -> None:
    assert sent(site_with(LOGIN, "/login"), form("/register", name=TEXT))[0].succeeded


@pytest.mark.parametrize(
    "location", ["http://elsewhere.example/notes", "/notes/", "/logout", "http://[", ""]
)
def test_what_says_nothing_of_the_write_or_would_end_the_session_is_not_followed(
    location: str,
) -> None:
    exchange, asked = sent(site_with("<h1>Here</h1>", location, status=302), form(title=TEXT))

    assert len(asked) == 1
    assert not exchange.succeeded


def test_a_message_in_a_cookie_is_read_with_that_cookie() -> None:
    def site(request: Request) -> Response:
        if request.method == "POST":
            return led("/notes", 303, ("Set-Cookie", "flash=no; Path=/"))
        told = "flash=no" in (request.header("cookie") or "")
        body = '<p class="error">There is no room left</p>' if told else "<h1>Notes</h1>"
        return html(body, 200, ("Set-Cookie", "flash=; Max-Age=0"))

    assert not sent(site, form(title=TEXT))[0].succeeded


@pytest.mark.parametrize(
    ("location", "page", "address"),
    [
        ("/notes/7", "<h1>A note</h1>", "/notes/7"),
        ("/app/notes/view/7", "", "/app/notes/view/7"),
        ("/", f"<tr><td>{TEXT}<td><a href=/notes/7>Open</a><tr><td><a href=/notes/8>", "/notes/7"),
        ("/notes", f"<li><a href='/notes/7/edit'>{TEXT}</a><li><a href=/notes/8>b</a>", "/notes/7"),
        ("/notes", f"<p class=flash>{TEXT} is there</p><li><a href=/notes/8>b</a>", None),
        ("/notes", f"<p>{TEXT}</p><li><a href=/notes/7>a</a><li><a href=/notes/8>b</a>", None),
        ("/notes", "<li><a href=/notes/8>b</a>", None),
    ],
)
def test_what_was_made_is_where_it_leads_or_what_stands_beside_its_text(
    location: str, page: str, address: str | None
) -> None:
    exchange, _ = sent(site_with(page, location), form("/notes/new", title=TEXT))

    assert exchange.response is not None
    assert exchange.response.made_at == address


def test_a_form_that_is_shown_again_with_an_error_is_a_refusal_whatever_its_status() -> None:
    again = '<form><input name="title"></form><p class="error">Too short</p>'

    assert not sent(lambda _: html(again), form(title="a"))[0].succeeded
    assert sent(lambda _: html("<p class=error>0 errors</p>"), form(title="a"))[0].succeeded


@pytest.mark.parametrize(
    ("page", "accepted"),
    [
        (f"<div class=alert>Already 3 of 10 notes.</div><li>{TEXT}</li>", True),
        ("<div class=alert>Already 3 of 10 notes.</div><li>another</li>", False),
        (f"<div class=alert>{TEXT} is there already.</div><li>another</li>", False),
        (f"<div class=alert>Not allowed</div><textarea name=a>{TEXT}</textarea>", False),
        (f"<div class='alert error'>Already 3 of 10.</div><li>{TEXT}</li>", False),
    ],
)
def test_what_was_sent_is_there_whatever_words_a_message_has(page: str, accepted: bool) -> None:
    site = site_with(page, later="<h1>Notes</h1>")
    assert sent(site, form(title=TEXT))[0].succeeded is accepted


GIVEN_BACK = (
    f'<p>Das geht nicht.</p><form><input name="title" value="{TEXT}">'
    f"<textarea name=text>{TEXT}</textarea></form>"
)
EMPTY = '<form><input name="title"><textarea name=text></textarea></form>'


@pytest.mark.parametrize("redirects", [True, False])
@pytest.mark.parametrize(("later", "accepted"), [(EMPTY, False), (GIVEN_BACK, True)])
def test_a_form_that_is_given_back_once_is_a_refusal_in_any_language(
    redirects: bool, later: str, accepted: bool
) -> None:
    """Settings that were stored are in the form for whoever looks again."""
    pages = iter([GIVEN_BACK])

    def site(request: Request) -> Response:
        if request.method != "GET" and redirects:
            return led("/notes")
        return html(next(pages, later))

    assert sent(site, form(title=TEXT, text=TEXT))[0].succeeded is accepted


def test_one_field_that_is_given_back_may_be_a_question_with_its_answer() -> None:
    asked = f'<form><input name="q" value="{TEXT}"></form><p>3 Treffer</p>'
    pages = iter([asked])

    assert sent(lambda _: html(next(pages, EMPTY)), form("/suche", q=TEXT))[0].succeeded


def test_a_redirect_of_a_read_is_not_followed() -> None:
    exchange, asked = sent(lambda _: led("/"), Request(method="GET", path="/notes"))

    assert (exchange.succeeded, len(asked)) == (False, 1)


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (Response(status=404), True),
        (led("/notes"), True),
        (led("/login"), False),
        (html("", 200), False),
        (html("", 500), False),
    ],
)
def test_a_thing_is_gone_where_its_address_leads_to_the_list(answer: Response, gone: bool) -> None:
    assert is_gone(sent(lambda _: answer, Request(method="GET", path="/notes/7"))[0]) is gone


@pytest.mark.parametrize("send", [form, parts], ids=["encoded", "in parts"])
@pytest.mark.parametrize(
    ("field", "refusal"),
    [
        ("_csrf", html("CSRF token missing", 403)),
        ("_token", html("Page expired", 419)),
        ("note[_token]", html("The CSRF token is invalid", 422)),
        ("__RequestVerificationToken", Response(status=400)),
    ],
)
def test_the_token_of_the_page_goes_with_each_form_and_every_visitor_is_new(
    field: str, refusal: Response, send: Callable[..., Request]
) -> None:
    sessions: list[str] = []

    def site(request: Request) -> Response:
        if request.method == "GET":
            sessions.append(f"s{len(sessions)}")
            page = f"<form><input type=hidden name={field} value=t-{sessions[-1]}></form>"
            return html(page, 200, ("Set-Cookie", f"sid={sessions[-1]}"))
        sid = (request.header("cookie") or "").partition("sid=")[2]
        told = (field, f"t-{sid}") in fields_of(request)
        return html("made", 201) if told and sid == sessions[-1] else refusal

    transport = Scripted(site)
    courier = Courier(transport, Budget(), target=parse_target("http://127.0.0.1:9"))
    bare = send("/register", name=TEXT).without_header("cookie")

    assert asyncio.run(courier.send(bare)).status == 201
    assert asyncio.run(courier.send(bare)).status == 201
    assert len(sessions) == 2


def test_a_refusal_that_no_token_mends_is_asked_about_once() -> None:
    def site(request: Request) -> Response:
        return html("no", 403) if request.method == "POST" else html("<h1>Nothing here</h1>")

    transport = Scripted(site)
    courier = Courier(transport, Budget(), target=parse_target("http://127.0.0.1:9"))
    for _ in range(3):
        assert asyncio.run(courier.send(form(title=TEXT))).status == 403
    assert [each.request.method for each in transport.exchanges].count("GET") == 1
