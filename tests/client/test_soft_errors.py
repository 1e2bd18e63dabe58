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
        {"ok": 0},
        {"success": "false", "msg": "not yours"},
        {"isSuccess": False, "result": None},
        {"status": False, "message": "not yours"},
        {"status": 403, "message": "not yours"},
        {"statusCode": "404", "message": "not here"},
        {"code": 40301, "msg": "not yours"},
        {"code": 403001, "msg": "not yours", "data": None},
        {"errcode": 48001, "errmsg": "not yours"},
        {"status": "forbidden"},
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
        {"ok": 1, "errors": ["an old one"]},
        {"success": 17, "failed": 3},
        {"code": 0, "msg": "success"},
        {"code": 1, "msg": "success", "data": None},
        {"code": 200, "msg": "success"},
        {"code": 20000, "message": "done"},
        {"code": 403, "msg": "read", "data": {"a": 1}},
        {"errcode": 0, "errmsg": "ok"},
        {"code": "40301", "message": "a voucher", "percent": 10},
        {"status": False},
        {"code": 4711, "message": "your ticket"},
        None,
        [],
        [{"success": False}],
        "error",
        {},
    ],
)
def test_what_is_no_refusal_is_not_taken_for_one(document: object) -> None:
    assert not says_no(answer(200, document))


def test_a_page_says_nothing_of_the_kind() -> None:
    assert not says_no(page(200, "<h1>error</h1>"))
