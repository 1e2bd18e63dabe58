"""Which files `withstand init` writes into a project, and what is to be done next. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from withstand.starter.azure import azure_pipeline
from withstand.starter.configuration import starter_configuration
from withstand.starter.declared import Manager
from withstand.starter.github import github_workflow
from withstand.starter.gitlab import gitlab_pipeline
from withstand.starter.installation import VARIABLE, Requirement, installation
from withstand.starter.project import CiSystem, Project

_PIPELINE: Final[dict[CiSystem, Callable[..., str]]] = {
    CiSystem.GITHUB: github_workflow,
    CiSystem.GITLAB: gitlab_pipeline,
    CiSystem.AZURE: azure_pipeline,
}
_BESIDE: Final = {  # where a pipeline goes when the usual file is somebody else's
    ".gitlab-ci.yml": ".gitlab/withstand.gitlab-ci.yml",
    "azure-pipelines.yml": "azure-pipelines-withstand.yml",
}
_USUAL: Final = {
    CiSystem.GITHUB: ".github/workflows/withstand.yml",
    CiSystem.GITLAB: ".gitlab-ci.yml",
    CiSystem.AZURE: "azure-pipelines.yml",
}
_ADD: Final = {
    Manager.UV: "uv add --dev",
    Manager.POETRY: "poetry add --group dev",
    Manager.PDM: "pdm add --dev",
    Manager.HATCH: "add to the environment of your tests:",
    Manager.PIPENV: "pipenv install --dev",
    Manager.PIP: "add to your requirements:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterFile:
    """`path` is relative to the root of the repository."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The files to write, in this order, and the steps that are left to a person."""

    files: tuple[StarterFile, ...]
    next_steps: tuple[str, ...]


def start(
    project: Project, withstand: Requirement, *, ci_system: CiSystem | None, shards: int
) -> Start:
    """`ci_system`: the one that was asked for; without, the one that the project shows."""
    files, steps = [], []
    if not project.configured:
        files.append(StarterFile(path="withstand.toml", text=starter_configuration(project)))
        steps.append("API_URL=http://127.0.0.1:8000 withstand doctor   # what a scan can work with")
    system = ci_system or project.ci_system
    if system is None:
        steps.append(
            "withstand init --ci github   # or gitlab, or azure: nothing here says which of them"
        )
        return Start(files=tuple(files), next_steps=tuple(steps))
    path = _path(system, project)
    text = _PIPELINE[system](project, installation(project, withstand), shards=shards)
    files.append(StarterFile(path=path, text=text))
    steps.append(f"say in {path} how the API is started, or set API_URL in the CI system")
    if path == _BESIDE[".gitlab-ci.yml"]:
        steps.append(f"add to .gitlab-ci.yml: include: [{{local: {path}}}]")
    elif path == _BESIDE["azure-pipelines.yml"]:
        steps.append(f"make a second pipeline of {path} in Azure")
    if not project.declares_withstand:
        steps.append(_declare(project, withstand, path))
    return Start(files=tuple(files), next_steps=tuple(steps))


def _path(system: CiSystem, project: Project) -> str:
    usual = _USUAL[system]
    return _BESIDE[usual] if usual in project.foreign else usual


def _declare(project: Project, withstand: Requirement, path: str) -> str:
    if not withstand.reachable:
        return (
            f"set the variable {VARIABLE} in the CI system to what pip installs there: this "
            "Withstand came from a folder of this machine"
        )
    if project.manager is None:
        return f"{path} installs {withstand.text}: raise it when you want a newer one"
    return f'{_ADD[project.manager]} "{withstand.text}"   # so that everybody has the same'
