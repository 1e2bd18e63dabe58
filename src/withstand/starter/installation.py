"""The commands that make a fresh machine ready, and what stands before a program there. Pure."""

import json
from dataclasses import dataclass
from typing import Final

from withstand.starter.declared import Manager
from withstand.starter.project import Project

VARIABLE: Final = "WITHSTAND"  # of the CI system: what pip installs there


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What pip installs to get Withstand. `reachable`: also on another machine; else the text
    leaves it to a variable, because by its name alone an index may hold something else."""

    text: str
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`commands` run once; `launcher` stands before `pytest` and `withstand`, space included.
    `variables`: those of the CI system that the commands need.
    """

    commands: tuple[str, ...]
    launcher: str = ""
    variables: tuple[str, ...] = ()


def requirement(version: str, direct_url: str | None) -> Requirement:
    """The Withstand that runs here. `direct_url`: the text of direct_url.json beside its metadata,
    None for what came from an index (Python Packaging User Guide, "Direct URL Data Structure").
    """
    if direct_url is None:
        return Requirement(text=f"withstand=={version}", reachable=True)
    origin = json.loads(direct_url)
    url = str(origin["url"])
    if vcs := origin.get("vcs_info"):
        text = f"withstand @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    else:
        text = f"withstand @ {url}"
    if url.startswith("file:"):
        return Requirement(text=f"${{{VARIABLE}:?is not set}}", reachable=False)
    return Requirement(text=text, reachable=True)


def installation(project: Project, withstand: Requirement) -> Installation:
    """Everything that the project declares, and Withstand where that is not among it."""
    missing = () if project.declares_withstand else (f'"{withstand.text}"',)
    variables = (VARIABLE,) if missing and not withstand.reachable else ()
    if project.manager is Manager.UV:
        named = (*_options("--extra", project.extras), *_options("--group", project.groups))
        extra = tuple(f"uv pip install {each}" for each in missing)
        commands = ("python -m pip install uv", " ".join(("uv sync", *named)), *extra)
        return Installation(commands=commands, launcher="uv run --no-sync ", variables=variables)
    if project.manager is Manager.POETRY:
        named = (*_options("--extras", project.extras), *_options("--with", project.groups))
        extra = tuple(f"poetry run python -m pip install {each}" for each in missing)
        commands = ("python -m pip install poetry", " ".join(("poetry install", *named)), *extra)
        return Installation(commands=commands, launcher="poetry run ", variables=variables)
    if project.manager is Manager.PDM:
        named = _options("--group", project.extras)
        # An environment of PDM has no pip of its own.
        pip = 'python -m pip --python "$(pdm info --python)" install'
        extra = tuple(f"{pip} {each}" for each in missing)
        commands = ("python -m pip install pdm", " ".join(("pdm install", *named)), *extra)
        return Installation(commands=commands, launcher="pdm run ", variables=variables)
    if project.manager is Manager.HATCH:
        launcher = f"hatch run {project.environment}:"
        extra = tuple(f"{launcher}python -m pip install {each}" for each in missing)
        created = f"hatch env create {project.environment}"
        commands = ("python -m pip install hatch", created, *extra)
        return Installation(commands=commands, launcher=launcher, variables=variables)
    if project.manager is Manager.PIPENV:
        extra = tuple(f"pipenv run python -m pip install {each}" for each in missing)
        commands = ("python -m pip install pipenv", "pipenv install --dev", *extra)
        return Installation(commands=commands, launcher="pipenv run ", variables=variables)
    wanted = [f"-r {name}" for name in project.requirements]
    if project.is_package:
        wanted.append(f'-e ".[{",".join(project.extras)}]"' if project.extras else "-e .")
    wanted += _options("--group", project.groups)
    newer = ('python -m pip install "pip>=25.1"',) if project.groups else ()  # knows --group
    command = f"python -m pip install {' '.join([*wanted, *missing])}"
    return Installation(commands=(*newer, command), variables=variables)


def _options(option: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{option} {name}" for name in names)
