"""Errors that come with a 2xx, and things that only have an error of their own."""

import pytest

from withstand.client.soft_errors import says_no
from withstand.scan.examples import answer, page


@pytest.mark.parametrize(
    "document",
    [
        {"success": False},
        {"ok": False, "id": 7},
        {"status": "error", "message": "log in first"},
        {"Status": "FAIL"},
        {"error": "log in first"},
        {"errors": [{"code": 5}], "data": None},
    ],
)
def test_an_envelope_that_says_no_is_understood(document: object) -> None:
    assert says_no(answer(200, document))


@pytest.mark.parametrize(
    "document",
    [
        {"success": True, "errors": ["an old one"]},
        {"error": None, "errors": [], "data": {"a": 1}},
        {"id": 7, "status": "failed", "error": "the bank said no"},
        {"status": "ok"},
        {"success": "no"},
        [{"success": False}],
        "error",
        {},
    ],
)
def test_what_is_no_refusal_is_not_taken_for_one(document: object) -> None:
    assert not says_no(answer(200, document))


def test_a_page_says_nothing_of_the_kind() -> None:
    assert not says_no(page(200, "<h1>error</h1>"))
