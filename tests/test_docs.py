"""What the documents say is so: paths exist, configuration is accepted, every word is explained."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from withstand.settings import load_settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    )
    if "checks" not in path.parent.parts  # generated from the code
)
VOCABULARY = (
    "target", "operation", "identity", "role", "credential", "exchange", "arrival rate",
    "open model", "closed model", "virtual user", "scenario", "profile", "stage",
    "intended start", "service time", "response time", "coordinated omission", "indicator",
    "objective", "verdict", "met", "breached", "inconclusive", "saturation", "sustainable rate",
    "drift", "check", "probe", "control", "positive", "negative", "canary", "finding", "severity",
    "confidence", "evidence", "fingerprint", "suppression", "baseline", "shard", "Results",
)  # fmt: skip

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(
    r"`((?:src|tests|docs|scripts|benchmarks|\.ci|\.github)/[^`\s<>*{}…]*"
    r"|[A-Z]+\.md|pyproject\.toml|withstand\.schema\.json)`"
)


def _prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text())


def _named_paths(document: Path) -> Iterator[str]:
    prose = _prose(document)
    for match in _PATH.finditer(prose):
        yield match[1]
    for match in _LINK.finditer(prose):
        if "://" not in match[1] and not match[1].startswith("mailto:"):
            place = (document.parent / match[1]).resolve()
            assert place.is_relative_to(ROOT), f"{match[1]} leads out of the repository"
            yield str(place.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    missing = [name for name in _named_paths(document) if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_configuration_that_a_document_shows_is_accepted(
    document: Path, tmp_path: Path
) -> None:
    (tmp_path / "auth.yaml").write_text("auth: [{name: a, fixedHeaders: [{name: X, value: y}]}]")
    for language, text in _FENCE.findall(document.read_text()):
        if language != "toml" or "[tool." in text or "[[requests]]" in text:
            continue  # tests/cli/test_scenario.py runs the scenario
        tomllib.loads(text)
        file = tmp_path / "withstand.toml"
        file.write_text(text)
        names = set(re.findall(r"\$\{(\w+)", text))
        environ = {name: "http://127.0.0.1:8000" if name.endswith("URL") else "x" for name in names}
        assert load_settings(config_file=file, environ=environ).source == str(file)


@pytest.mark.parametrize("word", VOCABULARY)
def test_the_glossary_explains_every_word_of_the_vocabulary(word: str) -> None:
    assert f"**{word}**" in (ROOT / "docs" / "glossary.md").read_text()


def test_the_glossary_explains_no_word_twice() -> None:
    words = re.findall(r"^\*\*(.+?)\*\*:", (ROOT / "docs" / "glossary.md").read_text(), re.M)
    assert len(words) == len(set(words))


def test_the_layout_in_the_architecture_is_the_packages_own() -> None:
    (tree,) = (
        text
        for _, text in _FENCE.findall((ROOT / "ARCHITECTURE.md").read_text())
        if text.startswith("src/withstand/")
    )
    package = ROOT / "src" / "withstand"
    shown: dict[str, set[str]] = {"": set()}
    parent = ""
    for line in tree.splitlines()[1:]:
        names = set(re.findall(r"\b(\w+(?:\.py|/))(?=\s)", f"{line} "))
        if line.startswith("│"):
            shown[parent] |= names
        else:
            shown[""] |= names
            (parent, *_) = names
            shown[parent] = set()
    there = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    assert shown.pop("") == there | _packages_in(package)
    # Where one folder within a folder is shown, all are.
    for parent, folders in shown.items():
        assert not folders or folders == _packages_in(package / parent)


def _packages_in(folder: Path) -> set[str]:
    return {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}


def test_the_architecture_names_the_layers_of_the_contracts() -> None:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layered = [item["layers"] for item in tables["contracts"] if item["type"] == "layers"]
    assert layered
    for layers in layered:
        drawn = " → ".join(f"`{layer}`" for layer in layers)
        assert drawn in (ROOT / "ARCHITECTURE.md").read_text()


def test_contributing_fits_two_pages_and_ends_in_adding_a_check() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert len(text.split()) < 900
    assert re.findall(r"^## (.+)$", text, re.M)[-1] == "Add a check"


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^(##+) (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == ("##", "[Unreleased]")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {name for level, name in headings if level == "###"} <= kinds


def test_decisions_are_numbered_without_gaps_and_have_the_same_parts() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]}: ")
        assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequences"]
        assert len(text.split()) < 500, f"{page.name} is longer than a page"
