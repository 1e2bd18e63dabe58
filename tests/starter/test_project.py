"""A repository is recognised by its files."""

import pytest

from withstand.starter.declared import Manager
from withstand.starter.project import (
    MARK,
    CiSystem,
    Project,
    described,
    recognised,
    worth_reading,
)

OPENAPI = "openapi: 3.1.0\n"


def files(*names: str, **texts: str) -> Project:
    return recognised(frozenset(names) | texts.keys(), dict.fromkeys(names, "") | texts)


def test_an_empty_repository_says_nothing() -> None:
    project = files()
    assert project == Project()
    assert described(project) == (
        "no OpenAPI document, no tests for pytest, no Python packages, no CI system"
    )


@pytest.mark.parametrize(
    ("texts", "manager"),
    [
        ({"uv.lock": ""}, Manager.UV),
        ({"pyproject.toml": "[tool.uv]\n[project]\nname='a'"}, Manager.UV),
        ({"poetry.lock": "", "requirements.txt": ""}, Manager.POETRY),
        ({"pyproject.toml": "[tool.poetry]\n"}, Manager.POETRY),
        ({"requirements-dev.txt": ""}, Manager.PIP),
        ({"setup.py": ""}, Manager.PIP),
        ({"requirements/test.txt": ""}, Manager.PIP),
        ({"pyproject.toml": "[dependency-groups]\ntest=[]"}, Manager.PIP),
        ({"Pipfile": "", "requirements.txt": ""}, Manager.PIPENV),
        ({"pyproject.toml": "[project]\nname='a'"}, Manager.PIP),
        ({"pyproject.toml": "[tool.ruff]\n"}, None),
        ({"pyproject.toml": "no TOML at all ["}, None),
        ({"package.json": "{}"}, None),
        ({"pdm.lock": "", "pyproject.toml": "[project]"}, Manager.PDM),
        ({"pyproject.toml": "[tool.pdm.dev-dependencies]\ntest=[]"}, Manager.PDM),
        ({"pyproject.toml": "[project]\n[tool.pdm.version]\nsource='scm'"}, Manager.PIP),
        ({"pyproject.toml": "[tool.hatch.envs.t]\ndependencies=['pytest']"}, Manager.HATCH),
        ({"pyproject.toml": "[build-system]\n[tool.hatch.envs.docs]"}, Manager.PIP),
        ({"setup.cfg": "[options]\n"}, Manager.PIP),
        ({"setup.cfg": "[flake8]\n"}, None),
        ({"setup.cfg": "no section at all"}, None),
        ({"requirements/api.txt": "# ours\npytest==9\n"}, Manager.PIP),
        ({"requirements/docs.txt": "sphinx\n", "more/requirements.txt": "pytest"}, None),
    ],
)
def test_the_packages_are_installed_by(texts: dict[str, str], manager: Manager | None) -> None:
    assert recognised(frozenset(texts), texts).manager is manager


@pytest.mark.parametrize(
    ("texts", "declared"),
    [
        ({"requirements.txt": "httpx\nwithstand[demo]>=0.1\n"}, True),
        ({"requirements.txt": "withstand"}, True),
        ({"requirements.txt": "notwithstand\nwithstand-extras\n"}, False),
        ({"pyproject.toml": "[dependency-groups]\ndev = ['withstand @ file:x']\n[tool.uv]"}, True),
        ({"pyproject.toml": "[tool.poetry.dependencies]\nwithstand = '^0.1'\n"}, True),
        ({"pyproject.toml": "[project]\nname='a'\n[tool.withstand.target]\n"}, False),
        ({"uv.lock": "", "requirements.txt": "withstand"}, False),
        ({"pyproject.toml": "[tool.poe.tasks]\nwithstand = 'withstand check'\n[tool.uv]"}, False),
        ({"pyproject.toml": "[tool.poetry.dependencies]\nwithstand = {optional=true}"}, False),
        ({"Pipfile": "[dev-packages]\nwithstand = '*'\n"}, True),
        ({"requirements/test.txt": "Withstand >= 0.1  # ours\n"}, True),
        ({"requirements-qa.txt": "-r requirements.txt\nwithstand\n"}, True),
        ({"pdm.lock": "", "pyproject.toml": "[dependency-groups]\nqa=['withstand']"}, True),
        ({"pyproject.toml": "[tool.pdm.dev-dependencies]\nx=['withstand']"}, True),
        ({"pyproject.toml": "[tool.hatch.envs.t]\ndependencies=['withstand']"}, True),
        ({"pyproject.toml": "[tool.hatch.envs.t]\nextra-dependencies=['pytest']"}, False),
    ],
)
def test_withstand_is_declared_where_the_manager_looks(
    texts: dict[str, str], declared: bool
) -> None:
    assert recognised(frozenset(texts), texts).declares_withstand is declared


@pytest.mark.parametrize(
    ("lock", "text", "extras", "groups", "declared"),
    [
        ("", "[project.optional-dependencies]\ntest = ['withstand']", ("test",), (), True),
        ("uv.lock", "[project.optional-dependencies]\nqa = ['withstand']", ("qa",), (), True),
        ("uv.lock", "[project.optional-dependencies]\ntests = ['httpx']", ("tests",), (), False),
        ("uv.lock", "[project.optional-dependencies]\ncuda = ['torch']", (), (), False),
        ("", "[dependency-groups]\ndev = ['withstand']", (), ("dev",), True),
        ("uv.lock", "[dependency-groups]\ndev = ['withstand']", (), (), True),
        ("uv.lock", "[dependency-groups]\nqa = ['pytest~=9.0']\ndocs = ['x']", (), ("qa",), False),
        (
            "uv.lock",
            "[dependency-groups]\ndev = []\nqa = ['pytest']\n[tool.uv]\ndefault-groups = ['qa']",
            (),
            ("dev",),
            False,
        ),
        (
            "poetry.lock",
            "[tool.poetry.group.qa]\noptional = true\n[tool.poetry.group.qa.dependencies]\n"
            "withstand = '*'\n[tool.poetry.group.dev.dependencies]\npytest = '*'",
            (),
            ("qa",),
            True,
        ),
        ("poetry.lock", "[tool.poetry.extras]\nload = ['withstand']", ("load",), (), True),
        ("uv.lock", "[project.optional-dependencies]\n'x; id' = ['withstand']", (), (), False),
    ],
)
def test_extras_and_groups_are_named_where_tests_need_them_and_the_manager_leaves_them_out(
    lock: str, text: str, extras: tuple[str, ...], groups: tuple[str, ...], declared: bool
) -> None:
    project = files(*filter(None, [lock]), **{"pyproject.toml": text})
    assert (project.extras, project.groups) == (extras, groups)
    assert project.declares_withstand is declared


def test_extras_in_setup_cfg_are_named_where_tests_need_them() -> None:
    setup = "[options]\n[options.extras_require]\nqa =\n    pytest\n    withstand>=1\ndocs = x\n"
    project = files(**{"setup.cfg": setup})
    assert (project.extras, project.declares_withstand) == (("qa",), True)
    assert project.is_package


def test_of_the_environments_of_hatch_the_one_with_withstand_is_taken() -> None:
    text = (
        "[project.optional-dependencies]\nqa = ['withstand']\n"
        "[tool.hatch.envs.default]\ndependencies = ['pytest']\n"
        "[tool.hatch.envs.api]\nfeatures = ['qa', 3]\ndependencies = ['pytest']\n"
    )
    project = files(**{"pyproject.toml": text})
    assert (project.environment, project.declares_withstand) == ("api", True)


@pytest.mark.parametrize("text", ["tool = 3", "project = 1", "[tool]\nuv = 1\npoetry = 'x'"])
def test_a_table_that_is_none_says_nothing(text: str) -> None:
    assert not files("uv.lock", **{"pyproject.toml": text}).declares_withstand
    assert not files("poetry.lock", **{"pyproject.toml": text}).declares_withstand


@pytest.mark.parametrize(
    "text",
    [OPENAPI, '{"openapi":"3.0.3"}', '{\n  "swagger": "2.0"\n}', "# ours\nswagger: '2.0'"],
)
def test_a_document_is_known_by_name_and_text(text: str) -> None:
    assert files(**{"api/openapi.v1.json": text}).document == "api/openapi.v1.json"
    assert files(**{"api/other.json": text}).document is None
    assert files(**{"openapi.json": '{"plugins": ["openapi"]}'}).document is None


def test_of_several_documents_the_one_nearest_to_the_root_is_taken() -> None:
    found = files(**{"a/b/openapi.yaml": OPENAPI, "z/swagger.yml": OPENAPI, "m/openapi.yaml": ""})
    assert found.document == "z/swagger.yml"


@pytest.mark.parametrize("name", ["tests/test_a.py", "a/b_test.py", "tests/conftest.py"])
def test_a_suite_is_known_by_the_names_of_its_files(name: str) -> None:
    assert files(name).has_suite
    assert not files("testing.py", "src/attest.py").has_suite


@pytest.mark.parametrize(
    ("name", "text", "system"),
    [
        (".github/workflows/ci.yml", "", CiSystem.GITHUB),
        (".gitlab-ci.yml", "", CiSystem.GITLAB),
        ("azure-pipelines.yml", "", CiSystem.AZURE),
        (".git/config", "\turl = git@github.com:a/b.git\n", CiSystem.GITHUB),
        (".git/config", "\turl = https://gitlab.example.com/a/github-mirror\n", CiSystem.GITLAB),
        (".git/config", "\turl = https://x@dev.azure.com/a/_git/b\n", CiSystem.AZURE),
        (".git/config", "\turl = ssh://git@ssh.dev.azure.com:22/v3/a/b\n", CiSystem.AZURE),
        (".git/config", "\turl = https://git.example.com/github/b\n", None),
    ],
)
def test_the_ci_system_is_where_pipelines_are_or_where_it_is_pushed_to(
    name: str, text: str, system: CiSystem | None
) -> None:
    assert files(**{name: text}).ci_system is system


def test_pipelines_that_are_there_go_before_the_remote() -> None:
    project = files(".gitlab-ci.yml", **{".git/config": "url = git@github.com:a/b.git"})
    assert project.ci_system is CiSystem.GITLAB


def test_a_pipeline_is_foreign_unless_it_bears_our_mark() -> None:
    assert files(".gitlab-ci.yml").foreign == {".gitlab-ci.yml"}
    assert files(**{".gitlab-ci.yml": f"{MARK}\nx: y"}).foreign == frozenset()


def test_the_branch_is_the_one_that_the_remote_names() -> None:
    origin, head = ".git/refs/remotes/origin/HEAD", ".git/HEAD"
    assert files(**{origin: "ref: refs/remotes/origin/release/2\n"}).branch == "release/2"
    assert files(**{origin: "ref: refs/remotes/origin/a, b]\n"}).branch == "main"
    assert files(**{head: "ref: refs/heads/master\n"}).branch == "master"
    assert files(**{head: "ref: refs/heads/my-feature\n"}).branch == "main"


@pytest.mark.parametrize("table", ["withstand.toml", "pyproject.toml"])
def test_a_configuration_is_seen(table: str) -> None:
    assert files(**{table: "[tool.withstand]\n"}).configured


def test_only_files_that_can_tell_something_are_read() -> None:
    names = ("src/a.py", "openapi.md", "requirements.txt", ".git/HEAD", "api/Swagger.YAML")
    assert worth_reading(names) == (".git/HEAD", "api/Swagger.YAML", "requirements.txt")
