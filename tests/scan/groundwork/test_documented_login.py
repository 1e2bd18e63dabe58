"""What a document says of logging in need not be configured."""

import json
from typing import Any

import pytest

from withstand.client.documented import Documented
from withstand.client.identity import Identity
from withstand.openapi.document import read_document
from withstand.scan.groundwork.documented_login import documented_login

ALICE = Identity(
    name="alice", role="user", fields={"email": "a@example.com", "password": "alice-pass-1"}
)


def said(*schemes: dict[str, Any], paths: dict[str, Any] | None = None, **more: Any) -> Documented:
    named = {f"s{number}": scheme for number, scheme in enumerate(schemes)}
    secured: dict[str, Any] = {
        "get": {"security": [{"s0": []}] if schemes else [], "responses": {}}
    }
    whole = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "components": {"securitySchemes": named},
        "paths": {"/me": secured, **(paths or {})},
        **more,
    }
    return documented_login(read_document(json.dumps(whole).encode(), source="t.json"))


@pytest.mark.parametrize(
    ("scheme", "send_as"),
    [
        ({"type": "http", "scheme": "bearer"}, "Authorization: Bearer {token}"),
        ({"type": "http", "scheme": "Token"}, "Authorization: Token {token}"),
        ({"type": "http", "scheme": "basic"}, None),
        ({"type": "apiKey", "in": "header", "name": "X-Api-Key"}, "X-Api-Key: {token}"),
        ({"type": "apiKey", "in": "query", "name": "api_key"}, "?api_key={token}"),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, "Cookie: sid={token}"),
        ({"type": "oauth2", "flows": {}}, "Authorization: Bearer {token}"),
        ({"type": "openIdConnect", "openIdConnectUrl": "/x"}, "Authorization: Bearer {token}"),
        (
            {"type": "apiKey", "in": "header", "name": "Authorization",
             "description": 'Token-based authentication with required prefix "Token"'},
            "Authorization: Token {token}",
        ),
        (
            {"type": "apiKey", "in": "header", "name": "Authorization",
             "description": "Enter 'Bearer <token>' here"},
            "Authorization: Bearer {token}",
        ),
        (
            {"type": "apiKey", "in": "header", "name": "Authorization"},
            "Authorization: Bearer {token}",
        ),
        ({"type": "mutualTLS"}, None),
    ],
)  # fmt: skip
def test_the_place_of_the_token_is_that_of_the_scheme(
    scheme: dict[str, Any], send_as: str | None
) -> None:
    found = said(scheme)
    assert found.send_as == send_as
    assert found.basic is (scheme.get("scheme") == "basic")


def test_the_scheme_that_most_operations_ask_for_counts() -> None:
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    other: dict[str, Any] = {"get": {"security": [{"s1": []}], "responses": {}}}
    bearer = {"type": "http", "scheme": "bearer"}
    assert said(bearer, key, paths={"/a": other, "/b": other}).send_as == "X-Key: {token}"
    assert said().send_as is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("token", "/token"),
        ("/v1/oauth/token", "/oauth/token"),
        ("https://api.example.com/v1/oauth/token", "/oauth/token"),
        ("./login/access-token", "/login/access-token"),
    ],
)
def test_the_token_endpoint_is_below_the_base_url(url: str, path: str) -> None:
    flows = {"password": {"tokenUrl": url, "scopes": {}}}
    found = said({"type": "oauth2", "flows": flows}, servers=[{"url": "https://x.example/v1"}])
    assert found.grants == {"password": path}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b'{"email": "a@example.com", "password": "alice-pass-1"}'),
        ("application/vnd.api+json", b'{"email": "a@example.com", "password": "alice-pass-1"}'),
        ("application/x-www-form-urlencoded", b"email=a%40example.com&password=alice-pass-1"),
    ],
)
def test_a_login_in_the_document_is_filled_from_the_identity(media_type: str, body: bytes) -> None:
    texts = {"email": {"type": "string"}, "password": {"type": "string"}}
    schema = {"type": "object", "properties": {**texts, "remember": {"type": "boolean"}}}
    login = {
        "post": {"requestBody": {"content": {media_type: {"schema": schema}}}, "responses": {}}
    }
    recipe = said(paths={"/auth/login": login}).recipe
    assert recipe is not None
    assert recipe.operation_key == "POST /auth/login"
    assert recipe.request(ALICE).body == body
    assert recipe.request(ALICE).header("content-type") == media_type


def test_the_special_media_types_of_json_bodies_are_told_by_operation() -> None:
    body = {"content": {"application/vnd.api+json": {"schema": {"type": "object"}}}}
    login = {"post": {"requestBody": body, "responses": {}}}
    assert said(paths={"/sessions": login}).json_types == {
        "POST /sessions": "application/vnd.api+json"
    }
