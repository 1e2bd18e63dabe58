"""The HTML report in Chromium, opened from a file: silent, sealed, readable and usable."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.report import sample, scan_sample
from withstand.report.headline import headline
from withstand.report.html import render_html
from withstand.results import Results

ALL = {
    "sample": sample.sample,
    "clean": sample.clean,
    "scan": sample.scan_only,
    "load": sample.load_only,
    "void": sample.void,
    "soak": sample.soak,
}
Opener = Callable[[Results], Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens the report of Results; afterwards, nothing may have been said or asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    said: list[str] = []
    asked: list[str] = []

    def open_report(results: Results) -> Page:
        path = tmp_path / "report.html"
        path.write_text(render_html(results), encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_report
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1


@pytest.mark.parametrize("name", ALL)
def test_the_verdict_is_in_view_and_nothing_sticks_out(opened: Opener, name: str) -> None:
    results = ALL[name]()
    page = opened(results)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(results.conclusion().value.capitalize())
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        expect(heading).to_be_in_viewport()
        expect(page.get_by_text(headline(results), exact=True)).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_card_expands_with_the_keyboard_and_shows_the_marked_proof(opened: Opener) -> None:
    page = opened(sample.scan_only())
    card = page.locator(".finding", has_text="One user reads another user's objects")
    proof = card.locator("mark").first
    expect(proof).to_be_hidden()
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(proof).to_be_visible()
    expect(proof).to_have_text("ws5fb0c1")


def test_one_button_expands_and_collapses_all_cards(opened: Opener) -> None:
    page = opened(sample.scan_only())
    page.get_by_role("button", name="Expand all").click()
    expect(page.locator(".finding[open]")).to_have_count(6)
    page.get_by_role("button", name="Collapse all").click()
    expect(page.locator(".finding[open]")).to_have_count(0)


def test_a_link_to_a_finding_opens_it(opened: Opener) -> None:
    page = opened(sample.scan_only())
    fingerprint = scan_sample.findings()[0].fingerprint
    page.evaluate("hash => { location.hash = hash }", f"finding-{fingerprint}")
    expect(page.locator(f"#finding-{fingerprint}")).to_have_attribute("open", "")


def test_a_hostile_body_is_shown_and_does_nothing(opened: Opener) -> None:
    page = opened(sample.scan_only())
    body = page.locator(".finding[open] .message pre", has_text="document.title='owned'")
    expect(body).to_be_visible()
    expect(body).to_contain_text("</script><img src=x onerror=")
    expect(body).to_contain_text("{{ 7*7 }}")
    assert "owned" not in page.title()
    assert page.locator("pre img, pre script").count() == 0


def test_the_curl_line_is_copied_as_it_stands(opened: Opener) -> None:
    page = opened(sample.scan_only())
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    curl = scan_sample.findings()[1].evidence[0].curl
    assert page.evaluate("navigator.clipboard.readText()") == curl


def test_choosing_an_operation_changes_curve_and_charts(opened: Opener) -> None:
    page = opened(sample.load_only())
    curves = page.locator(".curve:visible")
    expect(curves).to_have_count(1)
    expect(page.locator("#over-time canvas")).to_have_count(3)
    page.get_by_label("Show").select_option("GET /orders/{id}")
    expect(curves).to_have_count(1)
    expect(curves.first).to_have_attribute("data-operation", "GET /orders/{id}")
    expect(page.locator("#over-time canvas")).to_have_count(3)


def test_charts_are_drawn_with_the_measured_values(opened: Opener) -> None:
    page = opened(sample.load_only())
    expect(page.locator("#over-time canvas").first).to_be_visible()
    painted = page.evaluate(
        """() => [...document.querySelectorAll("#over-time canvas")].map(canvas => {
            const { data } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, index) => index % 4 === 3 && value > 0).length;
        })"""
    )
    assert len(painted) == 3
    assert min(painted) > 1_000


def test_text_has_enough_contrast_in_both_colour_schemes(opened: Opener) -> None:
    page = opened(sample.sample())
    page.get_by_role("button", name="Expand all").click()
    page.emulate_media(color_scheme="light")
    assert page.evaluate(_FAINT_TEXT) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(_FAINT_TEXT) == []


def test_on_paper_every_card_is_open_and_closed_again_afterwards(opened: Opener) -> None:
    page = opened(sample.scan_only())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("main details:not([open])")).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".finding[open]")).to_have_count(1)


# WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 from 24 px (or 18.66 px bold) on.
_FAINT_TEXT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => value / 255)
      .map((value) => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest("svg, script, noscript")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(numbers(style.color)), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + .05) / (b + .05);
    if (ratio < (large ? 3 : 4.5)) {
      faint.push(`${element.className}: ${element.textContent.trim().slice(0, 30)}: ${ratio}`);
    }
  }
  return faint;
}"""
