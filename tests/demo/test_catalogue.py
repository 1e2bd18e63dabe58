"""Products, labels and manuals, which everybody may read."""

from pathlib import Path

import pytest

from withstand.demo.operations import manuals

from .in_process import in_process
from .running import RunningDemo


def test_the_api_says_that_it_is_up(demo: RunningDemo) -> None:
    assert demo.request("GET", "/health").json() == {"status": "ok"}


def test_products_are_paged_in_the_order_of_their_sku(demo: RunningDemo) -> None:
    page = demo.request("GET", "/products?limit=2&offset=1").json()

    assert [product["sku"] for product in page["items"]] == ["SKU-002", "SKU-003"]


def test_products_are_found_by_part_of_their_name(demo: RunningDemo) -> None:
    items = demo.request("GET", "/products", params={"q": "TEAP"}).json()["items"]

    assert len(items) == 6
    assert all("Teapot" in product["name"] for product in items)


@pytest.mark.parametrize(
    "words", ["%", "_", "'", "''", "' OR '1'='1", "\\", "teapot'--", "\U0001f600"]
)
def test_no_words_mean_anything_to_the_query(demo: RunningDemo, words: str) -> None:
    assert demo.request("GET", "/products", params={"q": words}).json()["items"] == []


@pytest.mark.parametrize("query", ["q=%00", "q=a%0ab", "q=" + "x" * 101, "limit=101"])
def test_an_odd_search_is_refused(demo: RunningDemo, query: str) -> None:
    assert demo.request("GET", f"/products?{query}").status_code == 422


def test_a_product_is_there_by_its_sku(demo: RunningDemo) -> None:
    assert demo.request("GET", "/products/SKU-001").json()["name"] == "Plain Teapot"
    assert demo.request("GET", "/products/SKU-999").status_code == 404
    assert demo.request("GET", "/products/SKU-001%00").status_code == 422
    assert demo.request("GET", "/products/'").status_code == 422


def test_a_label_shows_its_heading_as_text(demo: RunningDemo) -> None:
    label = demo.request("GET", "/products/SKU-001/label", params={"heading": "<ws-1 a='b\">&amp;"})

    assert "<h1>&lt;ws-1 a=&#x27;b&quot;&gt;&amp;amp;</h1>" in label.text
    assert label.headers["content-type"] == "text/html; charset=utf-8"


def test_an_odd_label_is_refused(demo: RunningDemo) -> None:
    assert demo.request("GET", "/products/SKU-999/label").status_code == 404
    assert demo.request("GET", "/products/SKU-001/label?heading=%00").status_code == 422


@pytest.mark.parametrize("name", ["teapot.txt", "kettle.txt", "toaster.txt"])
def test_a_manual_is_served_as_text(demo: RunningDemo, name: str) -> None:
    manual = demo.request("GET", "/manuals", params={"name": name})

    assert manual.text.startswith(name.removesuffix(".txt").upper())
    assert manual.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "name",
    [
        "../__init__.py",
        "../../../../../../../../../../etc/passwd",
        "/etc/passwd",
        "....//....//etc/passwd",
        "..\\..\\etc\\passwd",
        "%2e%2e/x",
        ".",
        "..",
        "teapot",
        "teapot.txt/",
        "nothing.txt",
        "\u00e9" * 200,
    ],
)
def test_no_name_leads_out_of_the_folder_of_manuals(demo: RunningDemo, name: str) -> None:
    answer = demo.request("GET", "/manuals", params={"name": name})

    # A trailing slash is as good as none to the file system: the same manual, still inside.
    assert answer.status_code == (200 if name == "teapot.txt/" else 404)


def test_text_files_beside_the_folder_of_manuals_are_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "manuals"
    (folder / "drafts").mkdir(parents=True)
    for path in (folder / "fan.txt", folder / "drafts" / "fan.txt", tmp_path / "secret.txt"):
        path.write_text("canary")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(manuals, "FOLDER", folder)

    with in_process(tmp_path) as api:
        for name in ("../secret.txt", str(tmp_path / "secret.txt"), "link.txt", "drafts/fan.txt"):
            assert api.send("GET", "/manuals", params={"name": name}).status_code == 404
        assert api.send("GET", "/manuals", params={"name": "fan.txt"}).text == "canary"


@pytest.mark.parametrize("query", ["", "?name=", "?name=%00", "?name=" + "x" * 201])
def test_an_odd_name_is_refused(demo: RunningDemo, query: str) -> None:
    assert demo.request("GET", f"/manuals{query}").status_code == 422
