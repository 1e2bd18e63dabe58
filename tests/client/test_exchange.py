"""Requests, responses and exchanges as values."""

import json

import pytest

from withstand.client.exchange import (
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    Timing,
    json_request,
)

REQUEST = Request(
    method="GET", path="/users?limit=1?2", headers=(("A", "1"), ("b", "2"), ("a", "3"))
)
TIMING = Timing(intended_ns=10, sent_ns=30, first_byte_ns=70, end_ns=100)


def test_a_header_is_found_whatever_its_case() -> None:
    assert REQUEST.header("a") == "1"
    assert REQUEST.header("B") == "2"
    assert REQUEST.header("c") is None
    assert Response(status=200, headers=REQUEST.headers).header_values("A") == ("1", "3")


def test_setting_a_header_leaves_just_one_and_removing_it_none() -> None:
    assert REQUEST.with_header("A", "9").headers == (("b", "2"), ("A", "9"))
    assert REQUEST.without_header("A").headers == (("b", "2"),)
    assert REQUEST.without_header("c") == REQUEST


def test_the_operation_path_ends_before_the_query() -> None:
    assert REQUEST.operation_path == "/users"


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [
        ("Application/JSON; charset=utf-8", "application/json"),
        ("text/html ;q", "text/html"),
        (None, ""),
    ],
)
def test_the_media_type_has_no_parameters(content_type: str | None, media_type: str) -> None:
    headers = () if content_type is None else (("Content-Type", content_type),)
    assert Response(status=200, headers=headers).media_type == media_type


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5_000])
def test_a_body_that_is_no_json_is_none(body: bytes) -> None:
    assert Response(status=200, body=body).json() is None


def test_a_body_is_text_and_json() -> None:
    response = Response(status=200, body='{"ä": 1}'.encode())
    assert (response.text, response.json()) == ('{"ä": 1}', {"ä": 1})
    assert Response(status=200, body=b"\xff").text == "\ufffd"


@pytest.mark.parametrize(
    ("status", "succeeded"), [(199, False), (200, True), (299, True), (300, False)]
)
def test_success_is_2xx(status: int, succeeded: bool) -> None:
    response = Response(status=status)
    exchange = Exchange(request=REQUEST, outcome=response, timing=TIMING)
    assert response.succeeded is exchange.succeeded is succeeded
    assert exchange.response is response
    assert exchange.status == status


def test_an_exchange_that_failed_has_no_response() -> None:
    failure = Failure(kind=FailureKind.TIMED_OUT, detail="30 s")
    exchange = Exchange(request=REQUEST, outcome=failure, timing=TIMING)
    assert exchange.response is None
    assert exchange.status is None
    assert not exchange.succeeded
    assert str(failure) == "timed-out: 30 s"
    assert str(Failure(kind=FailureKind.RESET)) == "reset"


def test_response_time_counts_from_the_intended_start_and_service_time_from_sending() -> None:
    assert (TIMING.response_time_ns, TIMING.service_time_ns) == (90, 70)


def test_a_json_request_says_so_unless_told_something_more_special() -> None:
    request = json_request("POST", "/a", {"ä": "\ud800"}, {"X": "1"})
    assert request.headers == (("Content-Type", "application/json"), ("X", "1"))
    assert request.body == b'{"\xc3\xa4": "\xed\xa0\x80"}'
    special = {"content-type": "application/merge-patch+json"}
    assert json_request("PATCH", "/a", [1], special).headers == tuple(special.items())
    assert json.loads(json_request("PATCH", "/a", [1]).body) == [1]
