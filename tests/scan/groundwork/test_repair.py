"""An answer that says what it wants gets it with the next request."""

import json
from typing import Any

import pytest

from tests.scan.small_api import answer, scanned
from withstand.client.exchange import Request, Response
from withstand.openapi.body_encoding import Upload
from withstand.openapi.plausible_text import Marks
from withstand.openapi.slot import Slot
from withstand.scan.groundwork.repair import UNIQUE, repaired

TEXT: dict[str, Any] = {"type": "string"}
DAY = {"type": "string", "format": "date"}


@pytest.mark.parametrize(
    ("schema", "sent", "message", "wanted"),
    [
        (TEXT, "x", "Input should be 'standard', 'express' or 'pickup'", "standard"),
        (TEXT, "x", '"x" is not a valid choice, must be one of [small, large]', "small"),
        (TEXT, "x", "size must be one of the following values: S, M, L", "S"),
        (TEXT, "x", "Invalid enum value. Expected 'a' | 'b', received 'x'", "a"),
        (DAY, "2020-01-01", "must be in the future", "2035-06-12"),
        (DAY, "2030-01-15", "birth date must be in the past", "1990-06-12"),
        ({"type": "integer"}, 1, "must be greater than or equal to 18", 19),
        ({"type": "integer"}, 500, "must be less than or equal to 100", 99),
        ({"type": "integer"}, 1, "must be between 10 and 20", 15),
        ({"type": "number"}, 1, "amount is too small", 100),
        (TEXT, "a@example.com", "has already been taken", UNIQUE),
        (TEXT, "x", "is not a valid email address", "@example.com"),
        (TEXT, "x", "Enter a valid card number.", "4111111111111111"),
        (TEXT, "x", "must match ^[A-Z]{3}$", "[A-Z]{3}"),
        (TEXT, None, "Field required", "ws"),
        (TEXT, "+15550000000", "is not a valid phone number", "+14155552671"),
        ({"type": "boolean"}, False, "must be accepted", True),
    ],
)
def test_the_message_gives_the_next_value(
    schema: dict[str, Any], sent: object, message: str, wanted: object
) -> None:
    slot = Slot(location="body", name="field", schema=schema)
    response = Response(status=422, body=json.dumps({"errors": {"field": [message]}}).encode())
    found = repaired(
        response, [slot], {} if sent is None else {slot: sent}, lambda: "ws" + "0" * 24
    )
    value = found[slot]
    if wanted == "[A-Z]{3}":
        assert callable(value)
        texts = {value(Marks(f"ws{number:024x}")) for number in range(20)}
        assert len(texts) > 15  # another one in each request
        assert all(len(text) == 3 and text.isupper() for text in texts)
    elif isinstance(wanted, str) and wanted in {"@example.com", "ws"}:
        assert wanted in str(value)
    else:
        assert value is wanted or value == wanted


@pytest.mark.parametrize(
    ("name", "message", "ending"),
    [
        ("file", "The submitted data was not a file. Check the encoding type on the form.", "txt"),
        ("avatar", "No file was submitted.", "png"),
        ("content", "Upload a valid image. The file was not an image or was corrupted.", "png"),
    ],
)
def test_a_file_is_sent_where_one_is_asked_for(name: str, message: str, ending: str) -> None:
    slot = Slot(location="body", name=name, schema=TEXT)
    response = Response(status=400, body=json.dumps({name: [message]}).encode())
    value = repaired(response, [slot], {slot: "text"}, lambda: "ws" + "0" * 24)[slot]
    assert isinstance(value, Upload)
    assert value.name.endswith(ending)


@pytest.mark.parametrize(
    "message", ["“x” is not a valid UUID.", 'Invalid pk "x" - object does not exist.']
)
def test_a_thing_that_has_to_exist_is_one_that_the_identity_was_told(message: str) -> None:
    slot = Slot(location="body", name="project", schema=TEXT)
    response = Response(status=400, body=json.dumps({"project": [message]}).encode())
    told = repaired(response, [slot], {slot: "x"}, lambda: "ws" + "0" * 24, lambda _slot: "p-17")
    assert told == {slot: "p-17"}


BODY = {
    "type": "object",
    "properties": {"kind": TEXT, "day": TEXT, "seats": {"type": "integer"}, "code": TEXT},
}
PATHS: dict[str, Any] = {
    "/bookings": {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": BODY}}},
            "responses": {"201": {"description": "made"}},
        }
    }
}


def test_a_baseline_is_reached_by_doing_what_the_answers_say_one_after_the_other() -> None:
    """Three rules that no document says, each told in another form."""
    bodies: list[dict[str, Any]] = []

    def server(request: Request) -> Response:
        if request.method != "POST":
            return Response(status=404)
        body = json.loads(request.body)
        bodies.append(body)
        if body.get("kind") not in {"window", "aisle"}:
            return answer(400, {"kind": ["kind must be one of window, aisle"]})
        if body.get("seats", 0) < 4:
            return Response(status=400, body=b"seats must be at least 4")
        return answer(201, {"id": 1})

    record, _ = scanned(server=server, paths=PATHS, identities=())
    assert not [note for note in record.notes if "not tested" in note]
    assert bodies[-1]["kind"] == "window"
    assert bodies[-1]["seats"] >= 4
    assert len(bodies) == 3


def test_a_choice_that_no_document_lists_is_one_that_the_api_has_shown() -> None:
    orders = {"description": "made", "content": {"application/json": {"schema": {}}}}
    kind = {"type": "object", "properties": {"status": TEXT}, "required": ["status"]}
    change = {"requestBody": {"content": {"application/json": {"schema": kind}}}}
    paths: dict[str, Any] = {
        "/orders": {"post": {"responses": {"201": orders}}},
        "/orders/{id}": {"patch": {**change, "responses": {"200": orders}}},
    }
    paths["/orders/{id}"]["parameters"] = [
        {"in": "path", "name": "id", "required": True, "schema": {"type": "integer"}}
    ]

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7, "status": "draft"})
        status = json.loads(request.body).get("status") if request.body else None
        return answer(200 if status == "draft" else 422, {"detail": "Unknown status"})

    record, _ = scanned(server=server, paths=paths)
    assert not [note for note in record.notes if "{id} was not tested" in note]


def test_an_api_that_is_never_satisfied_is_asked_a_bounded_number_of_times() -> None:
    asked: list[Request] = []

    def server(request: Request) -> Response:
        asked.append(request)
        return answer(422, {"detail": [{"loc": ["body", "kind"], "msg": f"no: {len(asked)}"}]})

    record, _ = scanned(server=server, paths=PATHS, identities=())
    assert any("POST /bookings was not tested" in note for note in record.notes)
    assert len([request for request in asked if request.method == "POST"]) <= 6


def test_a_picture_is_sent_where_a_text_was_no_good_and_nothing_says_which_input_it_was() -> None:
    slot = Slot(location="body", name="file", schema={**TEXT, "format": "binary"})
    for status in (400, 415):
        response = Response(status=status, body=b'{"message": "Only pictures"}')
        value = repaired(response, [slot], {slot: "text"}, lambda: "ws" + "0" * 24)[slot]
        assert isinstance(value, Upload)
        assert not repaired(response, [slot], {slot: value}, lambda: "ws" + "0" * 24)
