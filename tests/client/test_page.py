"""Pages as trees, however sloppily they are written."""

from withstand.client.exchange import Response
from withstand.client.page import Element, page_of, properties_of


def parsed(text: str) -> Element:
    page = page_of(
        Response(status=200, headers=(("Content-Type", "text/html"),), body=text.encode())
    )
    assert page is not None
    return page


def test_only_html_is_a_page() -> None:
    assert page_of(Response(status=200, headers=(("Content-Type", "text/plain"),))) is None


def test_end_tags_that_may_be_left_out_are_not_missed() -> None:
    page = parsed("<ul><li>one<li>two</ul><table><tr><td>a<td>b<tr><td>c</table><p>x<p>y")

    assert [each.text for each in page.all("li", "tr", "p")] == ["one", "two", "a b", "c", "x", "y"]


def test_what_a_page_hides_is_not_what_it_says() -> None:
    page = parsed(
        "<script>if (1 < 2) alert('no')</script><p hidden>no</p><b style='display: none'>no</b>"
        "<p>Fish &amp; <br>chips</p>"
    )
    assert page.text == "Fish & chips"


def test_rows_and_locked_inputs_have_names_and_values_and_offers_have_not() -> None:
    page = parsed(
        "<input name=title value='A &quot;note&quot;' readonly><input name=role value=user>"
        "<dl><dt>Full name:</dt><dd>Ann</dd></dl>"
        "<table><tr><th>Status</th><td>new</td></tr></table>"
    )
    assert properties_of(page) == {"title": 'A "note"', "full_name": "Ann", "status": "new"}


def test_a_page_that_nests_without_end_is_read_all_the_same() -> None:
    page = parsed("<div>" * 20_000 + "deep")

    assert page.text == "deep"
