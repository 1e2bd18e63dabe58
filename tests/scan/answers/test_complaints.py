"""Whoever wrote the API: what its refusal objects to is understood."""

import json
from typing import Any

import pytest

from withstand.client.exchange import Response
from withstand.client.soft_errors import says_no
from withstand.openapi.slot import Slot
from withstand.scan.answers.complaints import complaints, said

SLOTS = (
    Slot(location="body", name="email", schema={"type": "string"}),
    Slot(location="body", name="address.city", schema={"type": "string"}),
    Slot(location="body", name="startDate", schema={"type": "string"}),
    Slot(location="query", name="limit", schema={"type": "integer"}),
    Slot(location="query", name="q", schema={"type": "string"}),
    Slot(location="body", name="items.0.sku", schema={"type": "string"}),
)


def answered(document: Any, status: int = 422) -> Response:
    text = document if isinstance(document, str) else json.dumps(document)
    return Response(status=status, body=text.encode())


@pytest.mark.parametrize(
    ("document", "name", "message"),
    [
        ({"detail": [{"loc": ["body", "email"], "msg": "not an email"}]}, "email", "not an email"),
        ({"detail": [{"loc": ["query", "limit"], "msg": "too big"}]}, "limit", "too big"),
        ({"detail": [{"loc": ["body", "items", 0, "sku"], "msg": "no"}]}, "items.0.sku", "no"),
        ({"errors": [{"pointer": "#/address/city", "detail": "unknown"}]}, "address.city", "unkn"),
        ({"invalid-params": [{"name": "email", "reason": "taken"}]}, "email", "taken"),
        ({"email": ["This field must be unique."]}, "email", "unique"),
        ({"address": {"city": ["No such city."]}}, "address.city", "No such city"),
        ({"message": "Invalid.", "errors": {"email": ["is taken"]}}, "email", "is taken"),
        ({"errors": {"StartDate": ["must be a future date"]}}, "startDate", "future"),
        ({"errors": [{"field": "email", "defaultMessage": "must be set"}]}, "email", "must be set"),
        ({"errors": [{"type": "field", "path": "email", "msg": "Invalid"}]}, "email", "Invalid"),
        ({"details": [{"path": ["address", "city"], "message": "short"}]}, "address.city", "short"),
        ({"issues": [{"path": ["email"], "message": "Invalid email"}]}, "email", "Invalid email"),
        ({"message": ["email must be an email", "x y"]}, "email", "must be an email"),
        (
            {"errors": [{"source": {"pointer": "/data/attributes/email"}, "detail": "bad"}]},
            "email",
            "bad",
        ),
        ({"error": "start_date must be in the future"}, "startDate", "in the future"),
        ({"error": {"message": "Start date is in the past"}}, "startDate", "in the past"),
        ("email is invalid", "email", "is invalid"),
        ({"status": "error", "msg": "Missing parameter: q"}, "q", "Missing"),
        (
            "<html><body><h1>Bad</h1><p>The start date must be later.</p></body>",
            "startDate",
            "later",
        ),
    ],
)
def test_the_input_and_the_message_are_found(document: Any, name: str, message: str) -> None:
    found = complaints(answered(document), SLOTS)
    assert found[0].slot.name == name
    assert message in found[0].message


@pytest.mark.parametrize(
    "document", [{"error": "no"}, "", "<html>Not here</html>", {"detail": "Not found."}, [], 7]
)
def test_an_answer_that_names_no_input_complains_about_none(document: Any) -> None:
    assert complaints(answered(document), SLOTS) == ()


def test_what_was_said_is_one_line_without_markup() -> None:
    assert said(answered("<html><style>p{}</style><p>Out of\n stock</p></html>")) == "Out of stock"
    assert said(answered({"title": "Bad", "errors": {"a": ["is bad"]}})) == "Bad; is bad"


@pytest.mark.parametrize(
    ("document", "fails"),
    [
        ({"success": False, "message": "no"}, True),
        ({"ok": False}, True),
        ({"status": "error", "message": "no"}, True),
        ({"status": "failed", "id": 7, "error": "build broke"}, False),
        ({"status": "failed"}, True),
        ({"data": [1], "errors": [{"message": "partly"}]}, False),
        ({"success": True}, False),
        ([{"success": False}], False),
    ],
)
def test_a_success_that_says_of_itself_that_it_failed_is_none(document: Any, fails: bool) -> None:
    assert says_no(answered(document, 200)) is fails
