"""Ids in pages: of the things that are listed, and of the one that holds a text."""

import pytest

from withstand.client.page import page_of
from withstand.openapi.page_ids import id_listed_with, ids_in, ids_listed
from withstand.scan.examples import answer, page


@pytest.mark.parametrize(
    ("html", "ids"),
    [
        ('<a href="/orders/17">a</a><a href="/orders/18/edit">b</a>', ["17", "18"]),
        ('<a href="/shop/orders/view/17?back=1">a</a>', ["17"]),
        ('<a href="/order.php?id=17&amp;page=2">a</a>', ["17"]),
        ('<a href="order_view.php?id=17">a</a>', ["17"]),
        ('<a href="/index.php?order_id=17">a</a>', ["17"]),
        ('<a href="/detail.aspx?orderId=a-b">a</a>', ["a-b"]),
        ('<tr data-id="17"><td>a</tr><li data-order-id="18">b', ["17", "18"]),
        (
            '<form action="/orders/delete"><input type="hidden" name="id" value="17"></form>'
            '<form action="/remove.php"><input type="hidden" name="order_id" value="18"></form>',
            ["17", "18"],
        ),
        ('<a href="/orders/new">n</a><a href="/orders?page=2">2</a><a href="/">h</a>', []),
        ('<a href="/users/3">u</a><a href="/user.php?id=3">u</a><b data-user-id="3"></b>', []),
        (
            '<form action="/users/block"><input type="hidden" name="id" value="3"></form>'
            '<form action="/orders"><input name="id" value="typed"></form>',
            [],
        ),
    ],
)
def test_the_ids_of_what_a_page_lists_are_found_and_no_others(html: str, ids: list[str]) -> None:
    response = page(200, html)
    found = page_of(response)
    assert found is not None
    assert list(ids_in(found, "order")) == ids
    assert ids_listed(response, "id", "order") == set(ids)


ROWS = (
    "<p class=flash>my text is there</p><table>"
    '<tr><td>my text<td><a href="/order.php?id=7">open</a>'
    '<tr><td>other<td><a href="/order.php?id=8">open</a></table>'
)


def test_the_row_with_a_text_says_its_id() -> None:
    assert id_listed_with(page(200, ROWS), ("my text",), "id", "order") == "7"
    assert id_listed_with(page(200, ROWS), ("no text",), "id", "order") is None
    known = frozenset({"7"})
    assert id_listed_with(page(200, ROWS), ("my text",), "id", "order", other_than=known) is None
    document = answer(200, [{"id": 7, "text": "my text"}, {"id": 8, "text": "other"}])
    assert id_listed_with(document, ("my text",), "id", "order") == 7


def test_a_row_with_several_ids_says_none() -> None:
    row = '<li>my text <a href="/orders/7">a</a> <a href="/orders/8">b</a></li>'
    assert id_listed_with(page(200, row), ("my text",), "id", "order") is None
