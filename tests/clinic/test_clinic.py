"""The clinic is what its document says, and every flaw of it names a check that exists."""

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clinic.app import create_app
from tests.clinic.people import ALICE, BOB
from tests.clinic.registry import FLAWS
from withstand.openapi.document import read_document


@pytest.fixture
def app() -> Iterator[Flask]:
    app = create_app()
    yield app
    app.extensions["clinic"].store.close()


def log_in(app: Flask, email: str, password: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/v2/login", data={"email": email, "password": password})
    assert answer.status_code == 200
    return client


def test_the_document_and_the_routes_name_the_same_operations(app: Flask) -> None:
    text = app.test_client().get("/openapi.json").data
    document = json.loads(text)
    declared = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
        for path, item in document["paths"].items()
        for method in item
    }
    routed = {
        (method, re.sub(r"<[^>]*>", "{}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v2/")
    }
    assert declared == routed
    assert len(read_document(text, source="/openapi.json").operations) == len(declared)


def test_a_session_is_a_cookie_that_ends_with_the_logout(app: Flask) -> None:
    client = log_in(app, ALICE.email, ALICE.password)
    cookie = client.get_cookie("clinic_session")
    assert cookie is not None
    assert cookie.http_only
    assert client.get("/v2/me").get_json()["data"]["name"] == ALICE.name

    assert client.post("/v2/logout").status_code == 204
    client.set_cookie("clinic_session", cookie.value)

    assert client.get("/v2/me").status_code == 401


def test_patients_see_their_own_appointments_only(app: Flask) -> None:
    alice, bob = (log_in(app, who.email, who.password) for who in (ALICE, BOB))
    body = {"doctor_id": 3, "reason": "A cough", "starts_at": "2031-05-01T09:30:00Z"}
    made = alice.post("/v2/appointments", json=body).get_json()["data"]

    assert alice.get(f"/v2/appointments/{made['id']}").get_json()["data"] == made
    assert bob.get(f"/v2/appointments/{made['id']}").status_code == 404
    assert made not in bob.get("/v2/appointments").get_json()["data"]


def test_a_voucher_is_redeemed_once(app: Flask) -> None:
    alice = log_in(app, ALICE.email, ALICE.password)
    code = alice.post("/v2/vouchers", json={"value_cents": 500}).get_json()["data"]["code"]

    answers = [alice.post(f"/v2/vouchers/{code}/redeem").get_json() for _ in range(2)]

    assert [answer["ok"] for answer in answers] == [True, False]
    assert alice.get("/v2/me").get_json()["data"]["credit_cents"] == 500


def test_a_change_of_password_needs_the_present_one_and_ends_other_sessions(app: Flask) -> None:
    one, other = (log_in(app, ALICE.email, ALICE.password) for _ in range(2))
    change = {"current_password": "wrong", "new_password": "a-much-better-one"}
    assert one.post("/v2/me/password", json=change).status_code == 403

    change["current_password"] = ALICE.password
    assert one.post("/v2/me/password", json=change).status_code == 204

    assert one.get("/v2/me").status_code == 200
    assert other.get("/v2/me").status_code == 401
    log_in(app, ALICE.email, "a-much-better-one")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"email": "\\ud800", "password": "x"}', b'{"email": "\\u0000@x.y"}',
     b"\xff\xfe", b'{"email": 7, "password": null}', b"[" * 100_000],
)  # fmt: skip
def test_no_odd_body_is_more_than_refused(app: Flask, body: bytes) -> None:
    answer = app.test_client().post("/v2/login", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_every_flaw_has_a_name_of_its_own() -> None:
    names = [flaw.name for flaw in FLAWS]
    assert len(names) == len(set(names))
