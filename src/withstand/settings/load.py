"""Reading the settings: file, environment, flags; every problem at once."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.client.proxy import VARIABLES
from withstand.errors import ConfigurationError
from withstand.settings.effective import Settings

if TYPE_CHECKING:
    from withstand.settings.sources import Layered, Problem
    from withstand.settings.sources import Path as KeyPath

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def load_settings(
    *,
    start: Path | None = None,
    config_file: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force.

    The nearest `withstand.toml`, or `pyproject.toml` with a [tool.withstand], from `start`
    (default: the current directory) up to the root of the repository; or `config_file` alone.
    `WITHSTAND_*` in `environ` (default: the process's) win over the file, and `overrides`, dotted
    keys such as `target.base_url`, over both. Lists are written with commas there. No file at all
    is fine.

    Raises ConfigurationError with every problem and its path; UsageError for a file that is
    missing or is no TOML.
    """
    # Deferred: attrs and cattrs cost more than all the rest, and are not needed to use settings.
    from withstand.settings.files import find_configuration
    from withstand.settings.paths import with_absolute_paths
    from withstand.settings.rules import broken_rules
    from withstand.settings.sources import layer
    from withstand.settings.structure import structure
    from withstand.settings.wfc_file import read_wfc

    here = (start or Path.cwd()).absolute()
    variables = os.environ if environ is None else environ
    file = find_configuration(here, config_file)
    layered = layer(file.data, variables, overrides or {})
    structured = structure(layered.data)
    problems = [*layered.problems, *structured.problems]
    problems += broken_rules(structured.tables, structured.unread)
    located = with_absolute_paths(structured.tables, layered, file=file.directory, here=here)
    problems += located.problems
    wfc, unfit = read_wfc(located.tables, variables, here)
    problems += unfit
    if problems:
        raise ConfigurationError(
            file.source or "the configuration", tuple(lines(problems, layered))
        )
    return Settings(
        source=file.source,
        document_file=located.document_file,
        tables=located.tables,
        directory=str(file.directory),
        wfc=wfc,
        proxy_variables={name: variables[name] for name in VARIABLES if name in variables},
    )


def lines(problems: "list[Problem]", layered: "Layered") -> Iterator[str]:
    """Each problem with its path; of several at one place only the first, which led to the rest."""
    told: set[KeyPath] = set()
    for problem in problems:
        if any(problem.path[:length] in told for length in range(1, len(problem.path) + 1)):
            continue
        told.add(problem.path)
        yield f"{_label(problem.path, layered)}: {problem.message}"


def _label(path: "KeyPath", layered: "Layered") -> str:
    for length in range(len(path), 0, -1):
        origin = layered.origins.get(path[:length])
        if origin is not None:
            return origin + _dotted(path[length:])
    return _dotted(path).removeprefix(".")


def _dotted(path: "KeyPath") -> str:
    return "".join(
        f"[{key}]"
        if isinstance(key, int)
        else f".{key}"
        if _BARE_KEY.fullmatch(key)
        else f'."{key}"'
        for key in path
    )
