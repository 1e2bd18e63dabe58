"""Reading a scenario file: TOML, JSON or JSON Lines; every problem at once."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from withstand.errors import ConfigurationError, UsageError
from withstand.load.scenario.declaration import Declaration
from withstand.load.scenario.feed_table import FeedTable, feed_table
from withstand.load.script.feed import SUFFIXES as FEED_SUFFIXES
from withstand.settings.effective import Settings
from withstand.settings.files import read_text, read_toml, shown_path
from withstand.settings.load import lines
from withstand.settings.scenario_forms import SCENARIO_FORMS, FeedSource
from withstand.settings.scenario_rules import Context, broken_scenario_rules, declared_requests
from withstand.settings.scenario_tables import ScenarioTables
from withstand.settings.sources import Problem, expanded
from withstand.settings.structure import structured


def load_scenario(
    file: Path,
    settings: Settings,
    *,
    start: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Declaration:
    """The scenario of a file, for the identities of the settings.

    In a JSON Lines file each line is one request. `${VARIABLE}` is filled in as in the settings;
    feeds are relative to the file. Raises ConfigurationError with every problem and its path;
    UsageError for a file that is missing or is not what its name says.
    """
    here = (start or Path.cwd()).absolute()
    path = here / file
    shown = shown_path(path, here)
    if not path.is_file():
        raise UsageError(
            f"there is no scenario file {shown}",
            hint="give a .toml, .json or .jsonl file, or an address that starts with http://",
        )
    layered = expanded(_read(path, here), os.environ if environ is None else environ)
    read = structured(layered.data, ScenarioTables, SCENARIO_FORMS)
    feeds, no_feeds = _feeds(read.tables.feeds, path.parent, here)
    context = Context(
        feeds=feeds,
        unread_feeds=frozenset(read.tables.feeds) - frozenset(feeds),
        identities={each.name: each for each in settings.identities()},
        follow_redirects=settings.load().follow_redirects,
    )
    problems = [*layered.problems, *read.problems, *no_feeds]
    problems += broken_scenario_rules(read.tables, read.unread, context)
    if problems:
        raise ConfigurationError(shown, tuple(lines(problems, layered)))
    return Declaration(
        source=shown,
        requests=declared_requests(read.tables, context),
        feeds=feeds,
        objectives={name: tuple(texts) for name, texts in read.tables.slo.items()},
    )


def _read(path: Path, here: Path) -> dict[str, Any]:
    if path.suffix == ".toml":
        return read_toml(path, here)
    shown, text = shown_path(path, here), read_text(path, here)
    if path.suffix == ".json":
        data = _json(text, shown)
        if not isinstance(data, dict):
            raise UsageError(
                f"{shown} is no JSON object", hint='write it as {"requests": [{"request": …}]}'
            )
        return data
    numbered = enumerate(text.split("\n"), start=1)
    return {
        "requests": [_json(line, f"{shown}:{number}") for number, line in numbered if line.strip()]
    }


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise UsageError(f"{place}: {error.msg}", hint="see https://www.json.org") from None
    except RecursionError:
        raise UsageError(f"{where} is nested too deeply") from None


def _feeds(
    sources: Mapping[str, FeedSource], folder: Path, here: Path
) -> tuple[dict[str, FeedTable], list[Problem]]:
    feeds: dict[str, FeedTable] = {}
    problems = []
    for name, source in sources.items():
        path = folder / source.file
        try:
            if path.suffix.lower() not in FEED_SUFFIXES:
                known = ", ".join(FEED_SUFFIXES)
                raise UsageError(f"{source.file!r} is no feed: its name must end in {known}")
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
            feeds[name] = feed_table(
                read_text(path, here), source=shown_path(path, here), order=source.order
            )
        except UsageError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            problems.append(Problem(path=("feeds", name), message=message))
    return feeds, problems
