"""Authentication files of the Web Fuzzing Commons, of both vintages."""

from typing import Any

import pytest
import yaml

from withstand.client.exchange import Response
from withstand.client.identity import Identity
from withstand.client.wfc import wfc_identities
from withstand.errors import UsageError

TEMPLATED = """
schemaVersion: "0.2.0"
auth:
  - name: admin
    loginEndpointAuth:
      payloadRaw: '{"usernameOrEmail": "admin", "password": "bar-123-admin"}'
  - name: user
    fixedHeaders: [{name: X-Tenant, value: t-1}]
    loginEndpointAuth:
      payloadUserPwd: {username: u, password: "222222", usernameField: login, passwordField: pw}
authTemplate:
  loginEndpointAuth:
    endpoint: /api/auth/signin
    verb: POST
    contentType: application/json
    token:
      extractFrom: body
      extractSelector: /data/accessToken
      sendIn: header
      sendName: Authorization
      sendTemplate: "JWT {token}"
"""
OLD = """
auth:
  - name: admin
    loginEndpointAuth:
      endpoint: /login
      verb: POST
      contentType: application/x-www-form-urlencoded
      payloadUserPwd: {username: admin, password: p w, usernameField: user, passwordField: pass}
      token: {headerPrefix: "Bearer ", extractFromField: "/token", httpHeaderName: "X-Auth"}
"""


def people(text: str, origin: str | None = None) -> tuple[Identity, ...]:
    return wfc_identities(yaml.safe_load(text), source="auth.yaml", origin=origin)


def answer(body: str = "{}", *headers: tuple[str, str]) -> Response:
    return Response(status=200, headers=headers, body=body.encode())


def test_a_template_is_merged_into_each_user() -> None:
    admin, user = people(TEMPLATED)
    assert admin.login is not None
    request = admin.login.request(admin)
    assert (request.method, request.path) == ("POST", "/api/auth/signin")
    assert request.body == b'{"usernameOrEmail": "admin", "password": "bar-123-admin"}'
    assert "bar-123-admin" in admin.secrets

    assert user.login is not None
    assert user.login.request(user).body == b'{"login": "u", "pw": "222222"}'
    credential = user.login.credential(answer('{"data": {"accessToken": "abc-1"}}'))
    assert credential is not None
    assert credential.headers == (("Authorization", "JWT abc-1"), ("X-Tenant", "t-1"))


def test_files_of_before_are_read_as_well() -> None:
    (admin,) = people(OLD)
    assert admin.login is not None
    assert admin.login.request(admin).body == b"user=admin&pass=p+w"
    credential = admin.login.credential(answer('{"token": "t-42"}'))
    assert credential is not None
    assert credential.headers == (("X-Auth", "Bearer t-42"),)


def test_fixed_headers_are_a_credential_and_their_last_word_the_token() -> None:
    (key,) = people(
        "auth: [{name: a, fixedHeaders: [{name: X-T, value: t}, "
        "{name: Authorization, value: ApiKey key-1}]}]"
    )
    assert key.credential is not None
    assert key.credential.token == "key-1"
    assert key.credential.headers == (("X-T", "t"), ("Authorization", "ApiKey key-1"))


def test_cookies_and_tokens_of_headers_and_in_queries_are_used() -> None:
    cookie, query = people("""
auth:
  - {name: a, loginEndpointAuth: {endpoint: /l, verb: POST, payloadRaw: "x=1",
     contentType: application/x-www-form-urlencoded, expectCookies: true}}
  - {name: b, loginEndpointAuth: {externalEndpointURL: "http://api.example/t", verb: GET,
     headers: [{name: X-Key, value: secret-9}],
     token: {extractFrom: header, extractSelector: X-Access, sendIn: query, sendName: key}}}
""", origin="http://api.example")  # fmt: skip
    assert cookie.login is not None
    session = cookie.login.credential(answer("{}", ("Set-Cookie", "sid=abc; HttpOnly")))
    assert session is not None
    assert session.cookies == (("sid", "abc"),)

    assert query.login is not None
    request = query.login.request(query)
    assert (request.method, request.path, request.body) == ("GET", "/t", b"")
    assert request.header("x-key") == "secret-9"
    assert "secret-9" in query.secrets
    found = query.login.credential(answer("", ("X-Access", "q 1")))
    assert found is not None
    assert found.query == (("key", "q 1"),)


LOGIN = {"endpoint": "/l", "verb": "POST", "payloadRaw": "{}", "expectCookies": True}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "has no list `auth`"),
        ({"auth": ["x"]}, "auth[0] is no mapping"),
        ({"auth": [{}]}, "auth[0] has no name"),
        ({"auth": [{"name": "a"}]}, "(a) has neither fixedHeaders nor loginEndpointAuth"),
        ({"auth": [{"name": "a", "loginEndpointAuth": {**LOGIN, "verb": None}}]}, "has no verb"),
        ({"auth": [{"name": "a", "loginEndpointAuth": {**LOGIN, "endpoint": ""}}]}, "no endpoint"),
        (
            {"auth": [{"name": "a", "loginEndpointAuth": {**LOGIN, "expectCookies": False}}]},
            "says neither token nor expectCookies",
        ),
        ({"auth": [], "createUsers": [{"name": "a"}]}, "has createUsers, which is not read"),
        ({"auth": [{"name": "a", "signUpEndpoint": {"verb": "POST"}, "loginEndpointAuth": LOGIN}]},
         "auth[0] (a) has signUpEndpoint, which is not read"),
        ({"auth": [{"name": "a", "loginEndpointAuth": {**LOGIN, "registration": "/users"}}]},
         "auth[0] (a) has registration, which is not read"),
        (
            {"auth": [{"name": "a", "loginEndpointAuth": {
                **LOGIN, "endpoint": None, "externalEndpointURL": "https://idp.example/t"}}]},
            "logs in at https://idp.example, and requests go to the target alone",
        ),
    ],
)  # fmt: skip
def test_what_a_file_lacks_or_has_in_vain_is_named(document: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        wfc_identities(document, source="auth.yaml", origin="http://127.0.0.1:8000")
    assert message in caught.value.message
    assert caught.value.message.startswith("auth.yaml")
