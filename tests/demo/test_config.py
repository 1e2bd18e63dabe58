"""The rendered withstand.toml: well-formed, in step with the server it speaks of."""

import tomllib
from typing import Any

from withstand.demo.config import render

from .running import RunningDemo
from .test_document import PUBLIC


def parsed(**arguments: Any) -> dict[str, Any]:
    return tomllib.loads(render(**arguments))


def test_plain_http_is_the_default() -> None:
    assert parsed()["target"] == {
        "base_url": "http://127.0.0.1:8000",
        "openapi": "/openapi.json",
    }


def test_https_comes_with_its_authority_and_the_plain_side() -> None:
    target = parsed(port=4430, https=True, ca_file='/tmp/a "b" \\c/ca.pem')["target"]

    assert target["base_url"] == "https://127.0.0.1:4430"
    assert target["plain_url"] == "http://127.0.0.1:4431"
    assert target["ca_file"] == '/tmp/a "b" \\c/ca.pem'
    assert parsed(port=4430, https=True, http_port=80)["target"]["plain_url"].endswith(":80")


def test_every_identity_can_log_in_as_the_configuration_says(demo: RunningDemo) -> None:
    config = parsed()
    method, path = config["login"]["request"].split()

    for identity in config["identities"].values():
        body = {key: text.format(**identity) for key, text in config["login"]["json"].items()}
        token = demo.request(method, path, json=body | config["login"]["short_lived"]).json()
        assert token["expires_in"] == 1
        header, value = config["login"]["send_as"].format(token=token["access_token"]).split(": ")
        me = demo.request("GET", "/users/me", headers={header: value})
        assert me.json()["role"] == identity["role"]


def test_every_operation_it_names_is_in_the_document(demo: RunningDemo) -> None:
    document = demo.client.get("/openapi.json").json()
    config = parsed()
    access = config["access"]
    named = {*access["public"], *access["never"], *config["security"]["limits"]} | {
        key for key in access if " " in key
    }

    assert {tuple(each.lower().split()) for each in access["public"]} == {
        (method, path.lower()) for method, path in PUBLIC
    }
    for operation in named:
        method, path = operation.split()
        assert method.lower() in document["paths"][path]
    assert set(config["security"]["private"]) <= document["paths"].keys()
