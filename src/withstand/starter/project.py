"""What a repository is, as far as a first configuration and its pipeline depend on it. Pure."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from withstand.starter.declared import Manager, declared, hatch_environments, table
from withstand.starter.pip_files import (
    SETUP,
    extras_of,
    is_described_by,
    may_be_requirements,
    requirements_files,
)

PYPROJECT: Final = "pyproject.toml"
_PIPFILE: Final = "Pipfile"
GIT_FILES: Final = (".git/config", ".git/HEAD", ".git/refs/remotes/origin/HEAD")
_GIT_CONFIG, _GIT_HEAD, _GIT_ORIGIN = GIT_FILES
MARK: Final = "# Written by `withstand init`, and yours from now on."
_PIPELINES: Final = {".gitlab-ci.yml", "azure-pipelines.yml"}
_TESTS: Final = ("test_*.py", "*_test.py", "conftest.py")
_DOCUMENT_NAMES: Final = ("*openapi*", "*swagger*")
_DOCUMENT_ENDS: Final = (".json", ".yaml", ".yml")
_DOCUMENT_BEGINS: Final = re.compile(
    r"""(?:^|[{\s])["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]"""
)


class CiSystem(StrEnum):
    """Where a pipeline runs."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`document`: the OpenAPI document, by its path. `has_suite`: there are tests for pytest.

    `manager`: None where there is no Python project. `requirements`: files for pip.
    `is_package`: pip can install the repository itself. `extras` and `groups`: those that tests
    need; `environment`: the one of Hatch that tests run in. `declares_withstand`: what the manager
    installs with them holds Withstand. `ci_system`: None where nothing tells. `foreign`: pipelines
    that `withstand init` did not write. `branch`: the one that changes are merged into.
    """

    foreign: frozenset[str] = frozenset()
    configured: bool = False
    document: str | None = None
    has_suite: bool = False
    manager: Manager | None = None
    requirements: tuple[str, ...] = ()
    is_package: bool = False
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    environment: str | None = None
    declares_withstand: bool = False
    ci_system: CiSystem | None = None
    branch: str = "main"


def worth_reading(files: Iterable[str]) -> tuple[str, ...]:
    """Those of the files whose text `recognised` wants to see; paths relative to the root."""
    return tuple(
        sorted(
            path
            for path in files
            if path in {PYPROJECT, _PIPFILE, SETUP, *GIT_FILES, *_PIPELINES}
            or may_be_requirements(path)
            or _may_be_document(path)
        )
    )


def recognised(files: frozenset[str], texts: Mapping[str, str]) -> Project:
    """The project that has these files, some of them with their texts. A text that is no TOML
    says nothing."""
    pyproject = _toml(texts.get(PYPROJECT, ""))
    tools = table(pyproject, "tool")
    setup = texts.get(SETUP, "")
    requirements = requirements_files(files, texts)
    is_package = (
        "project" in pyproject
        or "build-system" in pyproject
        or "setup.py" in files
        or is_described_by(setup)
    )
    manager = None
    if "uv.lock" in files or "uv" in tools:
        manager = Manager.UV
    elif "poetry.lock" in files or "poetry" in tools:
        manager = Manager.POETRY
    elif "pdm.lock" in files or "dev-dependencies" in table(tools, "pdm"):
        manager = Manager.PDM
    elif _PIPFILE in files:
        manager = Manager.PIPENV
    elif hatch_environments(pyproject):
        manager = Manager.HATCH
    elif requirements or is_package or "dependency-groups" in pyproject:
        manager = Manager.PIP
    packages = declared(
        manager,
        pyproject,
        pipfile=_toml(texts.get(_PIPFILE, "")),
        setup_extras=extras_of(setup),
        requirements=(texts.get(name, "") for name in requirements),
    )
    return Project(
        foreign=frozenset(
            name for name in _PIPELINES & files if not texts.get(name, "").startswith(MARK)
        ),
        configured="withstand.toml" in files or "withstand" in tools,
        document=_document(texts),
        has_suite=any(fnmatchcase(_name(path), test) for path in files for test in _TESTS),
        manager=manager,
        requirements=requirements,
        is_package=is_package,
        extras=packages.extras,
        groups=packages.groups,
        environment=packages.environment,
        declares_withstand=packages.has_withstand,
        ci_system=_ci_system(files, texts.get(_GIT_CONFIG, "")),
        branch=_branch(texts),
    )


def expected(project: Project) -> str:
    """The options that tell the merge what every job was to run."""
    return "--expect pytest --expect check" if project.has_suite else "--expect check"


def described(project: Project) -> str:
    """What was recognised, in one line."""
    installer = f"installed by {project.manager}" if project.manager else "no Python packages"
    return ", ".join(
        (
            f"OpenAPI document {project.document}" if project.document else "no OpenAPI document",
            "tests for pytest" if project.has_suite else "no tests for pytest",
            installer,
            _NAMES[project.ci_system] if project.ci_system else "no CI system",
        )
    )


_NAMES: Final = {
    CiSystem.GITHUB: "GitHub",
    CiSystem.GITLAB: "GitLab",
    CiSystem.AZURE: "Azure Pipelines",
}


def _document(texts: Mapping[str, str]) -> str | None:
    """The one nearest to the root; of equals the first by name."""
    found = [
        path
        for path, text in texts.items()
        if _may_be_document(path) and _DOCUMENT_BEGINS.search(text)
    ]
    return min(found, key=lambda path: (path.count("/"), path), default=None)


def _may_be_document(path: str) -> bool:
    name = _name(path).lower()
    return name.endswith(_DOCUMENT_ENDS) and any(
        fnmatchcase(name, pattern) for pattern in _DOCUMENT_NAMES
    )


def _ci_system(files: frozenset[str], git_config: str) -> CiSystem | None:
    """Where pipelines are already; else where the repository is pushed to."""
    if any(path.startswith(".github/") for path in files):
        return CiSystem.GITHUB
    if ".gitlab-ci.yml" in files:
        return CiSystem.GITLAB
    if "azure-pipelines.yml" in files:
        return CiSystem.AZURE
    hosts = " ".join(
        re.findall(r"(?m)^\s*url\s*=\s*(?:\w+://)?(?:[^@/\s]*@)?([^/:\s]+)", git_config)
    )
    for word, system in (
        ("github", CiSystem.GITHUB),
        ("gitlab", CiSystem.GITLAB),
        ("dev.azure.com", CiSystem.AZURE),
        ("visualstudio.com", CiSystem.AZURE),
    ):
        if word in hosts:
            return system
    return None


def _branch(texts: Mapping[str, str]) -> str:
    """What the remote says; a checkout tells only whether it is of the older usual name."""
    said = re.match(r"ref: refs/remotes/origin/([\w./-]+)$", texts.get(_GIT_ORIGIN, "").strip())
    if said is not None:
        return said[1]
    return "master" if texts.get(_GIT_HEAD, "").strip() == "ref: refs/heads/master" else "main"


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _name(path: str) -> str:
    return path.rpartition("/")[2]
