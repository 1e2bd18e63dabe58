"""`withstand init`: the first configuration of a repository, and its pipeline."""

import os
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import click

from withstand.errors import UsageError
from withstand.starter.installation import requirement
from withstand.starter.plan import Start, start
from withstand.starter.project import GIT_FILES, CiSystem, described, recognised, worth_reading

_MOST_FILES: Final = 20_000  # of a repository; what lies deeper tells nothing new
_NOT_OURS: Final = {"node_modules", "vendor", "venv", "__pycache__", "site-packages"}


@click.command("init")
@click.option(
    "--ci",
    "ci_name",
    type=click.Choice([each.value for each in CiSystem]),
    help="Where the pipeline runs. Default: where pipelines are already, or where the repository "
    "is pushed to.",
)
@click.option(
    "--shards",
    type=click.IntRange(2, 200),
    default=4,
    show_default=True,
    help="Over how many jobs the pipeline divides tests and checks.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Write the pipeline anew where there is one.")
def command(ci_name: str | None, shards: int, dry_run: bool, force: bool) -> int:
    """Write a first withstand.toml and the pipeline that fits this repository.

    It looks for an OpenAPI document, tests for pytest, what installs the packages (uv, Poetry,
    PDM, Hatch, Pipenv or pip) and the CI system (GitHub, GitLab or Azure), and sends nothing
    anywhere. withstand.toml is written where there is none, with comments on what to add. The
    pipeline runs tests and checks in shards, merges them into one report and shows it where the CI
    system shows such things.

    \b
    Examples
      withstand init --dry-run
      withstand init --ci gitlab --shards 2
    """
    root = _root(Path.cwd())
    files = _files(root)
    project = recognised(files, _texts(root, worth_reading(files)))
    installed = distribution("withstand")
    wanted = start(
        project,
        requirement(installed.version, installed.read_text("direct_url.json")),
        ci_system=None if ci_name is None else CiSystem(ci_name),
        shards=shards,
    )
    click.echo(f"Here: {described(project)}", err=True)
    if dry_run:
        for each in wanted.files:
            click.echo(f"# --- {each.path}\n{each.text}")
        return 0
    _write(root, wanted, force=force)
    for step in wanted.next_steps:
        click.echo(f"next: {step}", err=True)
    return 0


def _write(root: Path, wanted: Start, *, force: bool) -> None:
    """Looks at every place before it writes any file. Raises UsageError."""
    for each in wanted.files:
        if (root / each.path).exists() and not force:
            raise UsageError(
                f"{each.path} is there already",
                hint="--force writes it anew, --dry-run shows what it would hold",
            )
    for each in wanted.files:
        path = root / each.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{each.path} cannot be written: {error.strerror}",
                hint="run this where you may write, or take it from --dry-run",
            ) from None
        click.echo(f"wrote {each.path}", err=True)


def _texts(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """What cannot be read, such as a link to nowhere, says nothing."""
    texts = {}
    for path in paths:
        with suppress(OSError):
            texts[path] = _place(root, path).read_text(encoding="utf-8", errors="replace")
    return texts


def _place(root: Path, path: str) -> Path:
    """Where a file of the repository is. A worktree has a file in the place of Git's folder, which
    leads to the folder of its own and from there to the common one (gitrepository-layout(5)).
    """
    link, name = root / ".git", path.removeprefix(".git/")
    if path not in GIT_FILES or not link.is_file():
        return root / path
    folder = root / link.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    common = folder / "commondir"
    return (
        folder / common.read_text(encoding="utf-8").strip() if common.is_file() else folder
    ) / name


def _root(here: Path) -> Path:
    """The root of the repository, or this folder where there is none."""
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def _files(root: Path) -> frozenset[str]:
    """Paths relative to the root, without what others have put there; with Git's own settings."""
    found = {name for name in GIT_FILES if _place(root, name).is_file()}
    for folder, folders, names in os.walk(root):
        hidden = [name for name in folders if name.startswith(".") and name != ".github"]
        folders[:] = sorted(set(folders) - _NOT_OURS - set(hidden))
        found |= {(Path(folder) / name).relative_to(root).as_posix() for name in names}
        if len(found) > _MOST_FILES:
            break
    return frozenset(found)
