"""What `withstand init` would write is valid for every kind of project."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from withstand.settings import load_settings
from withstand.starter.declared import Manager
from withstand.starter.installation import Requirement, installation, requirement
from withstand.starter.plan import Start, start
from withstand.starter.project import CiSystem, Project

INDEX = Requirement(text="withstand==1.2", reachable=True)
FOLDER = requirement("1.2", json.dumps({"url": "file:///src/withstand", "dir_info": {}}))
KINDS = tuple(
    Project(
        manager=manager,
        requirements=("requirements.txt",) if manager is Manager.PIP else (),
        is_package=manager is not None,
        has_suite=has_suite,
        declares_withstand=declares,
        document='open "api".yaml' if has_suite else None,
        branch="release/2" if declares else "main",
    )
    for manager, has_suite, declares in (
        (Manager.UV, True, True),
        (Manager.POETRY, True, False),
        (Manager.PIP, False, True),
        (None, False, False),
    )
)


def pipeline(
    project: Project, system: CiSystem, shards: int = 3, withstand: Requirement = INDEX
) -> str:
    return start(project, withstand, ci_system=system, shards=shards).files[-1].text


@pytest.mark.parametrize("system", CiSystem)
@pytest.mark.parametrize("project", KINDS, ids=lambda project: str(project.manager))
def test_a_pipeline_runs_what_the_project_has(project: Project, system: CiSystem) -> None:
    # That it is valid is for tests/test_ci_files.py to say.
    text = pipeline(project, system)
    assert "<<" not in text
    assert "withstand check --shard" in text
    assert ("pytest --shard" in text) is project.has_suite
    assert ('"withstand==1.2"' in text) is not project.declares_withstand
    if system is not CiSystem.GITLAB:
        assert f"[{project.branch}]" in text


def test_only_the_job_that_uploads_may_write() -> None:
    workflow: Any = yaml.safe_load(pipeline(KINDS[0], CiSystem.GITHUB))
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["shard"]
    assert workflow["jobs"]["report"]["permissions"]["security-events"] == "write"
    assert workflow["jobs"]["shard"]["strategy"]["matrix"]["shard"] == [1, 2, 3]


@pytest.mark.parametrize("project", [KINDS[0], KINDS[-1]])
def test_the_configuration_is_accepted_as_it_is_and_with_its_comments_taken_away(
    project: Project, tmp_path: Path
) -> None:
    (file,) = start(project, INDEX, ci_system=None, shards=2).files
    assert file.path == "withstand.toml"
    names = ("API_URL", "ALICE_PASSWORD", "BOB_PASSWORD", "ROOT_PASSWORD")
    environ = dict.fromkeys(names, "http://127.0.0.1:8000")
    (tmp_path / "withstand.toml").write_text(file.text)
    if project.document is not None:
        (tmp_path / project.document).touch()
    settings = load_settings(config_file=tmp_path / "withstand.toml", environ=environ)
    assert str(settings.tables.target.openapi).endswith(project.document or "/openapi.json")
    shown = [
        line.removeprefix("# ")
        for line in file.text.splitlines()
        if not line.startswith("# ") or " = " in line or line.startswith("# [")
    ]
    (tmp_path / "withstand.toml").write_text("\n".join(line for line in shown if line != "#"))
    load_settings(config_file=tmp_path / "withstand.toml", environ=environ)


def test_a_configuration_that_is_there_is_left_alone() -> None:
    configured = Project(configured=True, ci_system=CiSystem.GITHUB)
    (file,) = start(configured, INDEX, ci_system=None, shards=2).files
    assert file.path == ".github/workflows/withstand.yml"


@pytest.mark.parametrize(
    ("usual", "beside", "system"),
    [
        (".gitlab-ci.yml", ".gitlab/withstand.gitlab-ci.yml", CiSystem.GITLAB),
        ("azure-pipelines.yml", "azure-pipelines-withstand.yml", CiSystem.AZURE),
    ],
)
def test_somebody_elses_pipeline_keeps_its_file(usual: str, beside: str, system: CiSystem) -> None:
    def written(project: Project) -> Start:
        return start(project, INDEX, ci_system=system, shards=2)

    assert written(Project()).files[-1].path == usual
    other = written(Project(foreign=frozenset({usual})))
    assert other.files[-1].path == beside
    assert any(beside in step for step in other.next_steps[2:])


def test_the_next_steps_say_what_is_left_to_a_person() -> None:
    def steps(withstand: Requirement, **facts: Any) -> str:
        asked = CiSystem.GITHUB if facts.pop("asked", True) else None
        return "\n".join(start(Project(**facts), withstand, ci_system=asked, shards=2).next_steps)

    assert "withstand init --ci github" in steps(INDEX, asked=False)
    assert 'uv add --dev "withstand==1.2"' in steps(INDEX, manager=Manager.UV)
    assert "came from a folder of this machine" in steps(FOLDER, manager=Manager.UV)
    assert "WITHSTAND" not in steps(FOLDER, manager=Manager.UV, declares_withstand=True)


@pytest.mark.parametrize(
    ("origin", "text", "reachable"),
    [
        (None, "withstand==1.2", True),
        ({"url": "file:///src/w", "dir_info": {}}, "${WITHSTAND:?is not set}", False),
        (
            {"url": "file:///src/w", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            "${WITHSTAND:?is not set}",
            False,
        ),
        (
            {"url": "https://x.example/w.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            "withstand @ git+https://x.example/w.git@c0ffee",
            True,
        ),
        (
            {"url": "https://x.example/w.zip", "archive_info": {}},
            "withstand @ https://x.example/w.zip",
            True,
        ),
    ],
)
def test_the_pipeline_installs_the_withstand_that_runs_here(
    origin: dict[str, Any] | None, text: str, reachable: bool
) -> None:
    found = requirement("1.2", None if origin is None else json.dumps(origin))
    assert found == Requirement(text=text, reachable=reachable)


def test_what_no_other_machine_can_reach_is_not_installed_by_its_name() -> None:
    for system in CiSystem:
        text = pipeline(Project(), system, withstand=FOLDER)
        assert 'python -m pip install "${WITHSTAND:?is not set}"\n' in text
    workflow: Any = yaml.safe_load(pipeline(Project(), CiSystem.GITHUB, withstand=FOLDER))
    assert workflow["env"]["WITHSTAND"] == "${{ vars.WITHSTAND }}"
    assert "WITHSTAND:" not in pipeline(Project(), CiSystem.GITHUB)


def test_each_manager_installs_what_it_knows() -> None:
    def commands(**facts: Any) -> str:
        return "; ".join(installation(Project(**facts), INDEX).commands)

    assert commands(manager=Manager.UV, declares_withstand=True) == (
        "python -m pip install uv; uv sync"
    )
    assert commands(manager=Manager.POETRY) == (
        "python -m pip install poetry; poetry install; "
        'poetry run python -m pip install "withstand==1.2"'
    )
    assert commands(manager=Manager.PIP, requirements=("a.txt", "b.txt"), is_package=True) == (
        'python -m pip install -r a.txt -r b.txt -e . "withstand==1.2"'
    )
    assert commands() == 'python -m pip install "withstand==1.2"'
    assert commands(manager=Manager.PDM, extras=("qa",)) == (
        "python -m pip install pdm; pdm install --group qa; "
        'python -m pip --python "$(pdm info --python)" install "withstand==1.2"'
    )
    assert commands(manager=Manager.HATCH, environment="api") == (
        "python -m pip install hatch; hatch env create api; "
        'hatch run api:python -m pip install "withstand==1.2"'
    )
    assert commands(manager=Manager.PIPENV, declares_withstand=True) == (
        "python -m pip install pipenv; pipenv install --dev"
    )


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        (Manager.UV, "uv sync --extra test --extra dev --group ci"),
        (Manager.POETRY, "poetry install --extras test --extras dev --with ci"),
        (Manager.PIP, 'python -m pip install -e ".[test,dev]" --group ci'),
    ],
)
def test_the_extras_and_groups_that_tests_need_are_installed(
    manager: Manager, command: str
) -> None:
    project = Project(
        manager=manager,
        is_package=True,
        extras=("test", "dev"),
        groups=("ci",),
        declares_withstand=True,
    )
    assert installation(project, INDEX).commands[-1] == command
