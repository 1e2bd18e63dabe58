"""The commands that make a fresh machine ready, and what stands before a program there. Pure."""

import json
from dataclasses import dataclass

from withstand.starter.project import Manager, Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What pip installs to get Withstand. `reachable`: also on another machine."""

    text: str
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`commands` run once; `launcher` stands before `pytest` and `withstand`, space included."""

    commands: tuple[str, ...]
    launcher: str = ""


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
        return Requirement(text=text, reachable=not url.startswith("file:"))
    if url.startswith("file:"):
        return Requirement(text=f"withstand=={version}", reachable=False)
    return Requirement(text=f"withstand @ {url}", reachable=True)


def installation(project: Project, withstand: Requirement) -> Installation:
    """Everything that the project declares, and Withstand where that is not among it."""
    missing = () if project.declares_withstand else (f'"{withstand.text}"',)
    if project.manager is Manager.UV:
        extra = tuple(f"uv pip install {each}" for each in missing)
        commands = ("python -m pip install uv", "uv sync", *extra)
        return Installation(commands=commands, launcher="uv run --no-sync ")
    if project.manager is Manager.POETRY:
        extra = tuple(f"poetry run python -m pip install {each}" for each in missing)
        commands = ("python -m pip install poetry", "poetry install", *extra)
        return Installation(commands=commands, launcher="poetry run ")
    wanted = [f"-r {name}" for name in project.requirements]
    if project.is_package:
        wanted.append("-e .")
    return Installation(commands=(f"python -m pip install {' '.join([*wanted, *missing])}",))
