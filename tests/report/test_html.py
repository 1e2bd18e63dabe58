"""The HTML report is one inert file: whatever an API sent stays text."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import sample, scan_sample
from tests.report.stress_sample import stress_only
from withstand.client.exchange import Failure, FailureKind, Request, Response
from withstand.report.headline import headline
from withstand.report.html import render_html
from withstand.report.html_view import (
    matrix,
    reference_link,
    request_message,
    response_message,
    whole_api,
)
from withstand.scan.records.record import CoverageState

ALL = {
    "sample": sample.sample,
    "clean": sample.clean,
    "scan": sample.scan_only,
    "load": sample.load_only,
    "stress": stress_only,
    "void": sample.void,
    "soak": sample.soak,
    "trials": sample.trials,
}


class Outline(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def tags(self) -> list[str]:
        """The names of the elements in order."""
        return [tag for tag, _ in self.elements]


def test_trials_show_what_each_verdict_rests_on_and_what_was_not_tried() -> None:
    text = " ".join(Outline(render_html(sample.trials())).text.split())
    assert "service times of a closed loop: one request at a time" in text
    assert "(at least 774 ms, 80 requests, 30.2 s)" in text
    assert "GET /health 60 0" in text
    assert "3 status 503" in text
    assert "the budget of 30.0 s was spent on GET /health" in text
    assert "max<2s on * needs withstand load" in text
    assert "not tried (GET /users gave no id): GET /users/{id}" in text


@pytest.mark.parametrize("name", ALL)
def test_the_page_loads_nothing_and_says_so_to_the_browser(name: str) -> None:
    outline = Outline(render_html(ALL[name]()))
    policies = [
        attributes["content"]
        for tag, attributes in outline.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    ]
    for tag, attributes in outline.elements:
        assert "src" not in attributes
        if tag != "a":
            assert (attributes.get("href") or "data:").startswith("data:")


@pytest.mark.parametrize("name", ALL)
def test_the_verdict_is_the_only_top_heading_and_stands_in_the_title(name: str) -> None:
    results = ALL[name]()
    page = render_html(results)
    word = results.conclusion().value.capitalize()
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", page) == [word]
    assert f"<title>{word}: Corner Shop - Withstand</title>" in page
    assert headline(results) in Outline(page).text


@pytest.mark.parametrize("name", ALL)
def test_headings_descend_without_a_gap_and_ids_are_unique(name: str) -> None:
    outline = Outline(render_html(ALL[name]()))
    levels = [int(tag[1]) for tag in outline.tags() if re.fullmatch("h[1-6]", tag)]
    assert all(below <= above + 1 for above, below in pairwise(levels))
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes.get("href") or "" for tag, attributes in outline.elements if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_the_same_results_give_the_same_page() -> None:
    assert render_html(sample.sample()) == render_html(sample.sample())


PLAIN_TAGS = Outline(render_html(sample.with_detail("plain"))).tags()


@settings(max_examples=12, deadline=None)
@given(
    st.text(min_size=1)
    | st.sampled_from(("</script><script>1</script>", '"><img src=x>', "{{ 7*7 }}"))
)
def test_no_text_in_the_results_adds_an_element(text: str) -> None:
    assert Outline(render_html(sample.with_detail(text))).tags() == PLAIN_TAGS


def test_a_hostile_operation_name_cannot_leave_the_data_element() -> None:
    results = sample.load_only()
    assert results.load is not None
    name = "GET /</script><script>alert(1)</script><!--&\ud800"
    measured = replace(next(iter(results.load.operations.values())), operation=name)
    page = render_html(replace(results, load=replace(results.load, operations={name: measured})))
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert "<" not in data
    assert list(json.loads(data)["series"]) == [name.replace("\ud800", "\\ud800")]
    assert page.encode()
    assert Outline(page).tags().count("script") == 3


def test_every_reason_for_a_gap_is_on_the_page() -> None:
    text = Outline(render_html(sample.scan_only())).text
    scan = scan_sample.scan()
    for sentence in (*scan.notes, *(cell.reason for cell in scan.coverage if cell.reason)):
        assert sentence in text


def test_a_void_scan_that_found_nothing_is_no_good_news() -> None:
    text = Outline(render_html(sample.void())).text
    assert "No flaw was found" not in text
    assert "Nothing was found, which means nothing here" in text
    assert "No flaw was found" in Outline(render_html(sample.clean())).text


def test_results_without_scan_or_load_still_make_a_page() -> None:
    bare = replace(sample.load_only(), load=None, objectives=())
    assert "Nothing was tested" in Outline(render_html(bare)).text


def test_the_licence_of_the_chart_library_is_part_of_the_page() -> None:
    text = Outline(render_html(sample.sample())).text
    assert "Copyright (c) 2022 Leon Sorokin" in text
    assert "Permission is hereby granted" in text


# --- what the template is given -------------------------------------------------------------------


def test_the_proof_is_marked_in_headers_and_body() -> None:
    shown = response_message(
        Response(status=200, headers=(("X-Echo", "a ws1 b"),), body=b"ws1 and ws1"), "ws1"
    )
    assert shown.headers == (("X-Echo", (("a ", False), ("ws1", True), (" b", False))),)
    assert shown.body == (("ws1", True), (" and ", False), ("ws1", True))


def test_a_long_body_is_cut_around_its_proof() -> None:
    body = b"x" * 50_000 + b"PROOF" + b"y" * 50_000
    shown = response_message(Response(status=200, body=body), "PROOF")
    assert ("PROOF", True) in shown.body
    assert sum(len(text) for text, _ in shown.body) + shown.cut == len(body)
    assert shown.cut == len(body) - 6_000


def test_bytes_that_are_no_text_and_invisible_characters_are_shown() -> None:
    shown = request_message(Request(method="PUT", path="/x\r\ny", body=b"\xff\x00\r\n\xe2\x80\xae"))
    assert shown.start == "PUT /x\\x0d\ny"
    assert shown.body == (("\ufffd\\x00\n\\u202e", False),)


def test_a_request_without_an_answer_says_why() -> None:
    shown = response_message(Failure(kind=FailureKind.TIMED_OUT, detail="10 s"), None)
    assert shown.start == "no response: timed-out: 10 s"


@pytest.mark.parametrize(
    ("reference", "link"),
    [
        ("CWE-639", "https://cwe.mitre.org/data/definitions/639.html"),
        ("RFC 9110, 10.2.3", "https://www.rfc-editor.org/rfc/rfc9110"),
        ("OWASP API1:2023", None),
        ("WSTG-ATHZ-04", None),
        ("", None),
    ],
)
def test_references_with_an_address_of_their_own_are_links(
    reference: str, link: str | None
) -> None:
    assert reference_link(reference) == link


def test_the_matrix_and_the_list_of_the_whole_api_have_every_cell_once() -> None:
    scan = scan_sample.scan()
    table = matrix(scan)
    assert [place for place, _ in table.rows] == [*scan_sample.OPERATIONS]
    cells = [cell for _, row in table.rows for cell in row if cell is not None]
    assert sorted(map(repr, [*cells, *whole_api(scan)])) == sorted(map(repr, scan.coverage))
    assert whole_api(scan)
    by_place = {place: dict(zip(table.checks, row, strict=True)) for place, row in table.rows}
    cell = by_place["GET /orders/{id}"]["bola-read"]
    assert cell is not None
    assert cell.state is CoverageState.FAILED
    assert "version-disclosed" not in table.checks


def test_code_in_the_remedy_is_shown_as_code_and_still_escaped() -> None:
    results = sample.scan_only()
    assert results.scan is not None
    finding = replace(results.scan.findings[0], remedy="Use `WHERE <id> = ?`, not <b>. A ` stays.")
    odd = replace(results, scan=replace(results.scan, findings=(finding,)))
    assert "Use `WHERE &lt;id&gt; = ?`, not &lt;b&gt;. A ` stays." in render_html(odd)

    even = replace(finding, remedy="Use `WHERE <id> = ?`, not <b>.")
    page = render_html(replace(odd, scan=replace(results.scan, findings=(even,))))
    assert "Use <code>WHERE &lt;id&gt; = ?</code>, not &lt;b&gt;." in page
