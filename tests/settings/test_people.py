"""[login] and [identities] of every kind, as recipes and credentials."""

import base64
from pathlib import Path

import pytest

from withstand.client.documented import Documented
from withstand.client.exchange import Request, Response
from withstand.errors import UsageError
from withstand.settings.plans import refuse_homeless

from .conftest import Complain, Read

ALICE = """
[identities]
a = { role = 'user', email = 'a@x.example', password = 'alice-pass-1' }
"""
BARE = Request(method="GET", path="/me")


def answer(body: str, *headers: tuple[str, str], status: int = 200) -> Response:
    return Response(status=status, headers=headers, body=body.encode())


@pytest.mark.parametrize(
    ("keys", "path", "headers"),
    [
        ("header = 'X-Key'", "/me", (("X-Key", "k-123"),)),
        ("cookie = 'auth'", "/me", (("Cookie", "auth=k-123"),)),
        ("query = 'api_key'", "/me?api_key=k-123", ()),
    ],
)
def test_a_static_token_goes_where_its_identity_says(
    read: Read, keys: str, path: str, headers: tuple[tuple[str, str], ...]
) -> None:
    (alice,) = read(f"[identities]\na = {{ role = 'u', token = 'k-123', {keys} }}").identities()
    sent = alice.authorize(BARE)
    assert (sent.path, sent.headers) == (path, headers)


def test_send_as_says_it_for_all_and_the_document_where_it_does_not(read: Read) -> None:
    tokens = "[identities]\na = { role = 'u', token = 'k-123' }\n"
    (alice,) = read("[login]\nsend_as = '?key={token}'\n" + tokens).identities()
    assert alice.authorize(BARE).path == "/me?key=k-123"
    (alice,) = read(tokens).identities(Documented(send_as="Cookie: sid={token}"))
    assert alice.authorize(BARE).header("cookie") == "sid=k-123"


def test_a_json_login_is_sent_in_the_media_type_that_the_document_wants(read: Read) -> None:
    settings = read("[login]\nrequest = 'POST /in'\njson = { email = '{email}' }\n" + ALICE)
    documented = Documented(json_types={"POST /in": "application/vnd.api+json"})
    (alice,) = settings.identities(documented)
    login = settings.login(documented)
    assert login is not None
    assert login.request(alice).header("content-type") == "application/vnd.api+json"
    assert login.request(alice).body == b'{"email": "a@x.example"}'


def test_basic_sends_name_and_password_themselves(read: Read) -> None:
    pair = base64.b64encode(b"a@x.example:alice-pass-1").decode()
    for settings, documented in (
        (read("[login]\nbasic = true\n" + ALICE), Documented()),
        (read(ALICE), Documented(basic=True)),
    ):
        (alice,) = settings.identities(documented)
        assert alice.authorize(BARE).header("authorization") == f"Basic {pair}"
        assert settings.login(documented) is None


def test_an_oauth_client_proves_itself_by_basic_or_in_the_body(read: Read) -> None:
    client = "[login]\ngrant = 'password'\nclient_id = 'app'\nclient_secret = 'app-secret-1'\n"
    documented = Documented(grants={"password": "/oauth/token"})
    settings = read(client + ALICE)
    recipe, (alice,) = settings.login(documented), settings.identities(documented)
    assert recipe is not None
    request = recipe.request(alice)
    assert (request.method, request.path) == ("POST", "/oauth/token")
    assert request.body == b"grant_type=password&username=a%40x.example&password=alice-pass-1"
    assert (
        request.header("authorization") == f"Basic {base64.b64encode(b'app:app-secret-1').decode()}"
    )
    assert "app-secret-1" in alice.secrets

    settings = read(client + "client_auth = 'body'\n" + ALICE)
    recipe, (alice,) = settings.login(documented), settings.identities(documented)
    assert recipe is not None
    assert recipe.request(alice).header("authorization") is None
    assert recipe.request(alice).body.endswith(b"client_id=app&client_secret=app-secret-1")


def test_each_program_may_be_a_client_of_its_own(read: Read) -> None:
    settings = read(
        "[login]\nrequest = 'POST /token'\ngrant = 'client_credentials'\nform = { scope = 'all' }\n"
        "[identities]\nbatch = { role = 'job', client_id = 'b', client_secret = 'batch-secret' }\n"
    )
    recipe, (batch,) = settings.login(), settings.identities()
    assert recipe is not None
    assert recipe.request(batch).body == b"grant_type=client_credentials&scope=all"
    credential = recipe.credential(answer('{"access_token": "token-12", "expires_in": 60}'))
    assert credential is not None
    assert credential.lifetime_s == 60


def test_a_grant_without_an_address_says_what_is_missing(read: Read) -> None:
    settings = read("[login]\ngrant = 'password'\n" + ALICE)
    with pytest.raises(UsageError, match="names no tokenUrl"):
        settings.login()


@pytest.mark.parametrize(
    ("response", "sent"),
    [
        (answer('{"access_token": "token-12"}'), (("Authorization", "Bearer token-12"),)),
        (answer('{"data": {"jwt": "token-12"}}'), (("Authorization", "Bearer token-12"),)),
        (
            answer('{"token": "token-12", "token_type": "JWT"}'),
            (("Authorization", "JWT token-12"),),
        ),
        (answer("", ("X-Auth-Token", "token-12")), (("Authorization", "Bearer token-12"),)),
        (
            answer("{}", ("Set-Cookie", "sid=token-12; HttpOnly"), status=303),
            (("Cookie", "sid=token-12"),),
        ),
        (answer('{"success": false, "token": null}'), None),
        (answer("{}", ("Set-Cookie", "csrftoken=token-12")), None),
    ],
)
def test_a_token_is_found_wherever_a_login_gives_it(
    read: Read, response: Response, sent: tuple[tuple[str, str], ...] | None
) -> None:
    login = "[login]\nrequest = 'POST /l'\njson = { p = '{password}' }\n"
    recipe = read(login + ALICE).login()
    assert recipe is not None
    found = recipe.credential(response)
    assert (found.apply(BARE).headers if found is not None else None) == sent


def test_without_any_login_the_next_step_is_told(read: Read) -> None:
    settings = read(ALICE)
    with pytest.raises(UsageError) as caught:
        refuse_homeless(settings.identities(), settings.login())
    assert "nothing says how to log in as a:" in caught.value.message
    assert 'request = "POST /login"' in (caught.value.hint or "")


def test_a_file_of_the_web_fuzzing_commons_gives_logins_and_the_settings_give_roles(
    read: Read, repository: Path
) -> None:
    (repository / "auth.yaml").write_text(
        "auth:\n"
        "  - {name: alice, fixedHeaders: [{name: X-Key, value: '${KEY}'}]}\n"
        "  - {name: carl, loginEndpointAuth: {endpoint: /l, verb: POST, expectCookies: true,\n"
        "     payloadUserPwd: {username: carl, usernameField: u, passwordField: p,\n"
        "     password: pw-1}}}\n"
    )
    settings = read(
        "[login]\nwfc = 'auth.yaml'\n[identities]\nalice = { role = 'user' }\n", {"KEY": "k-123"}
    )
    alice, carl = settings.identities()
    assert (alice.role, carl.role) == ("user", "carl")
    assert alice.authorize(BARE).header("x-key") == "k-123"
    assert carl.login is not None
    assert carl.login.request(carl).body == b'{"u": "carl", "p": "pw-1"}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[login]\nwfc = 'none.yaml'", "login.wfc: there is no file "),
        ("[login]\nclient_secret = 's'", "login.client_secret: has no client_id"),
        ("[login]\ndeprovision = 'x'", "login.deprovision: removes what nothing provisions"),
        (
            "[login]\ncsrf_page = 'login'",
            "login.csrf_page: 'login' is no path; write it as '/login'",
        ),
        ("[login]\ncanary = 'PUT /me'", "login.canary: 'PUT /me' is no read without parameters"),
        ("[login]\ngrant = 'pasword'", "login.grant: expected one of password, client_credentials"),
        (
            "[identities]\na = { role = 'u', token = 't', cookie = 'c', query = 'q' }",
            "identities.a: has cookie and query; keep one",
        ),
        (
            "[login]\nbasic = true\n[identities]\na = { role = 'u', password = 'p' }",
            "identities.a.username: is missing: HTTP basic sends it with the password",
        ),
        (
            "[login]\nbasic = true\nrequest = 'POST /l'\njson = {}\n",
            "login.basic: sends the password itself; leave the login out",
        ),
    ],
)
def test_what_does_not_go_together_is_named(complain: Complain, text: str, problem: str) -> None:
    (found,) = complain(text)
    assert found.startswith(problem)


def test_a_broken_file_of_the_web_fuzzing_commons_is_a_problem_of_its_key(
    complain: Complain, repository: Path
) -> None:
    (repository / "auth.yaml").write_text("auth: [{name: a}]")
    (found,) = complain("[login]\nwfc = 'auth.yaml'\n")
    assert found.startswith("login.wfc: auth.yaml: auth[0] (a) has neither fixedHeaders nor")
