"""Finding the configuration file and reading its TOML."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from withstand.errors import UsageError

_NAME = "withstand.toml"
_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """What one file says. `source`: None without a file. `directory`: where its paths start."""

    source: str | None
    directory: Path
    data: dict[str, Any] = field(default_factory=dict)


def find_configuration(start: Path, config_file: Path | None) -> ConfigurationFile:
    """The file named, or the nearest from `start` up to the root of its repository.

    Files are never merged. Raises UsageError for a file that is missing or is no TOML.
    """
    if config_file is not None:
        return _named(start / config_file, start)
    for directory in _upwards(start):
        if (path := directory / _NAME).is_file():
            return ConfigurationFile(
                source=shown_path(path, start), directory=directory, data=read_toml(path, start)
            )
        if (path := directory / _PYPROJECT).is_file():
            table = _tool_table(path, start)
            if table is not None:
                return ConfigurationFile(
                    source=f"[tool.withstand] in {shown_path(path, start)}",
                    directory=directory,
                    data=table,
                )
    return ConfigurationFile(source=None, directory=start)


def _named(path: Path, start: Path) -> ConfigurationFile:
    shown = shown_path(path, start)
    if not path.is_file():
        raise UsageError(
            f"there is no configuration file {shown}",
            hint="name another one, or leave --config out: the nearest withstand.toml is read",
        )
    if path.name != _PYPROJECT:
        return ConfigurationFile(source=shown, directory=path.parent, data=read_toml(path, start))
    table = _tool_table(path, start)
    if table is None:
        raise UsageError(
            f"{shown} has no table [tool.withstand]", hint="add it, or name a withstand.toml"
        )
    return ConfigurationFile(
        source=f"[tool.withstand] in {shown}", directory=path.parent, data=table
    )


def _upwards(start: Path) -> Iterator[Path]:
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():  # a directory, or a file in a worktree
            return


def _tool_table(path: Path, start: Path) -> dict[str, Any] | None:
    # Files that never say the word are not parsed: a broken one of somebody else is not our matter.
    if b"withstand" not in path.read_bytes():
        return None
    tool = read_toml(path, start).get("tool")
    table = tool.get("withstand") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def read_text(path: Path, start: Path) -> str:
    """The text of a file. Raises UsageError, with the place where it is no UTF-8."""
    shown = shown_path(path, start)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from None
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line, column = _position(raw[: error.start].decode(errors="replace"))
        raise UsageError(
            f"{shown}:{line}:{column}: not UTF-8", hint="save the file as UTF-8"
        ) from None


def read_toml(path: Path, start: Path) -> dict[str, Any]:
    """The data of a TOML file. Raises UsageError with the place of the mistake."""
    shown = shown_path(path, start)
    text = read_text(path, start)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, place = _syntax_error(str(error), text)
        raise UsageError(
            f"{shown}:{place}: {message}", hint="strings need quotes; see https://toml.io"
        ) from None


def _syntax_error(message: str, text: str) -> tuple[str, str]:
    match = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if match:
        return message[: match.start()], f"{match[1]}:{match[2]}"
    line, column = _position(text)
    return message.removesuffix(" (at end of document)"), f"{line}:{column}"


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def shown_path(path: Path, start: Path) -> str:
    """A file as messages name it: relative to where the command was given, if it lies there."""
    try:
        return str(path.relative_to(start))
    except ValueError:
        return str(path)
