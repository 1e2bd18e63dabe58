"""The fields of forms that are sent, and one put in their place."""

import email
import email.policy

from withstand.client.exchange import Request
from withstand.client.form_body import fields_of, is_form, with_field
from withstand.openapi.body_encoding import Upload, encoded_body
from withstand.openapi.operation import RequestBody

VALUES = {
    "title": "a & b",
    "_csrf": "old",
    "photo": Upload(name="a", media_type="image/png", content=b"\0--"),
}


def written(media_type: str) -> Request:
    body = RequestBody(media_type=media_type, schema={}, required=True)
    content_type, content = encoded_body(body, VALUES, lambda schema: schema)
    headers = (("Content-Type", content_type),)
    return Request(method="POST", path="/", headers=headers, body=content)


def test_a_field_goes_into_a_form_in_parts_so_that_others_read_it() -> None:
    changed = with_field(
        written("multipart/form-data"), "_csrf", "new", instead_of=lambda name: name == "_csrf"
    )
    head = f"Content-Type: {changed.header('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + changed.body, policy=email.policy.HTTP)
    told = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.iter_parts()
    }
    assert told == {"title": b"a & b", "photo": b"\0--", "_csrf": b"new"}
    assert fields_of(changed) == [("title", "a & b"), ("_csrf", "new")]


def test_a_field_goes_into_a_form_that_is_encoded() -> None:
    request = Request(method="POST", path="/", body=b"title=a+%26+b&_csrf=old")
    changed = with_field(request, "_csrf", "n&w", instead_of=lambda name: name == "_csrf")
    assert fields_of(changed) == [("title", "a & b"), ("_csrf", "n&w")]
    assert is_form(changed)
    assert not is_form(request)
