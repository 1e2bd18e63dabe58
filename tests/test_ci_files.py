"""All files for CI systems that are in this repository, in its pages, or written by `init`."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.ci_checkers import schema_problems, workflow_problems
from tests.starter.test_plan import FOLDER, KINDS, pipeline
from withstand.starter.declared import Manager
from withstand.starter.project import CiSystem, Project

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ci.md").read_text()
# What the page says that its pipelines are for.
SHOWN: Final = Project(
    manager=Manager.PIP,
    requirements=("requirements.txt",),
    has_suite=True,
    declares_withstand=True,
)
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def shown() -> list[str]:
    """The files on the page, with a commit where a reader puts one."""
    return [
        text.replace("COMMIT", _COMMIT)
        for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    ]


def kind_of(text: str) -> str:
    keys = yaml.safe_load(text).keys()
    if "runs" in keys:
        return "action"
    if True in keys:  # YAML 1.1 reads the key `on` as a truth value
        return "github"
    return "azure" if "trigger" in keys else "gitlab"


@cache
def files(kind: str) -> list[str]:
    """Every text of a kind, each once."""
    own = [ROOT / "action.yml", *(ROOT / ".github" / "workflows").glob("*.yml")]
    texts = [*(path.read_text() for path in own), *shown()]
    texts += [pipeline(project, system) for project in KINDS for system in CiSystem]
    texts += [pipeline(Project(), system, withstand=FOLDER) for system in CiSystem]
    return [text for text in dict.fromkeys(texts) if kind_of(text) == kind]


@pytest.mark.parametrize("kind", ["action", "github", "gitlab", "azure"])
def test_every_file_fits_the_schema_of_its_system(kind: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.yml" for number, _ in enumerate(files(kind))]
    for path, text in zip(paths, files(kind), strict=True):
        path.write_text(text)
    assert paths
    assert schema_problems(kind, paths) == ""


def test_a_file_that_does_not_fit_is_found(tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text().replace("run:", "rum:"))
    assert "action.yml" in schema_problems("action", [tmp_path / "action.yml"])


def test_zizmor_has_nothing_to_say_about_what_others_use(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    texts = [*shown(), *(pipeline(project, CiSystem.GITHUB) for project in KINDS)]
    for number, text in enumerate(text for text in texts if kind_of(text) == "github"):
        (folder / f"{number}.yml").write_text(text)
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text())
    assert workflow_problems(tmp_path, persona="pedantic") == ""

    evil = "      - run: echo ${{ github.event.pull_request.title }}\n"
    (folder / "evil.yml").write_text(pipeline(KINDS[0], CiSystem.GITHUB) + evil)
    assert "template-injection" in workflow_problems(tmp_path, persona="pedantic")


def test_zizmor_has_nothing_to_say_about_the_projects_own_workflows() -> None:
    assert workflow_problems(ROOT / ".github", persona="regular") == ""


@pytest.mark.parametrize("system", CiSystem)
def test_the_page_shows_what_init_writes(system: CiSystem) -> None:
    assert pipeline(SHOWN, system, shards=4) in shown()


def test_the_page_explains_every_input_and_output_of_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    for name in (*action["inputs"], *action["outputs"]):
        assert f"`{name}`" in PAGE, name


def test_every_foreign_action_is_pinned_to_one_commit_everywhere() -> None:
    texts = "\n".join([*files("action"), *files("github")])
    uses = set(re.findall(r"uses: (\S+)@(\S+)(?: # (v[0-9.]+))?$", texts, re.M))
    for name, commit, version in uses:
        assert re.fullmatch("[0-9a-f]{40}", commit), name
        assert version or name.startswith("OWNER/"), name
