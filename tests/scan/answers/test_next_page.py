"""The next page of a list, where its answer gives the address."""

import json

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.answers.next_page import next_page

ASKED = Request(method="GET", path="/api/notes?page=1", headers=(("Accept", "*/*"),))


@pytest.mark.parametrize(
    "document",
    [
        {"results": [], "next": "http://127.0.0.1:9/api/notes?page=2"},
        {"data": [], "links": {"next": "/api/notes?page=2"}},
        {"_links": {"next": {"href": "/api/notes?page=2"}}},
        {"data": [], "next_page_url": "http://127.0.0.1:9/api/notes?page=2"},
        {"items": [], "meta": {"next": "?page=2"}},
        {"value": [], "@odata.nextLink": "/api/notes?page=2"},
    ],
)
def test_the_address_is_found_wherever_frameworks_put_it(document: object) -> None:
    answered = Response(status=200, body=json.dumps(document).encode())
    further = next_page(ASKED, answered, "127.0.0.1:9")
    assert further is not None
    assert (further.path, further.headers) == ("/api/notes?page=2", ASKED.headers)


def test_a_link_header_is_read() -> None:
    link = '</api/notes?page=9>; rel="last", </api/notes?page=2>; rel="next"'
    answered = Response(status=200, headers=(("Link", link),), body=b"[]")
    further = next_page(ASKED, answered, "127.0.0.1:9")
    assert further is not None
    assert further.path == "/api/notes?page=2"


@pytest.mark.parametrize(
    "address",
    [None, "http://other.example.com/api/notes?page=2", "/api/notes?page=1", "a cursor", "//[", 2],
)
def test_no_other_host_is_asked_and_no_page_twice(address: object) -> None:
    answered = Response(status=200, body=json.dumps({"next": address}).encode())
    assert next_page(ASKED, answered, "127.0.0.1:9") is None
