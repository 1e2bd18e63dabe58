"""What a load sends and how often: the operations of `-o`, and a scenario's file."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from withstand.cli.traffic import request_for
from withstand.errors import UsageError
from withstand.load.scenario.declaration import Declaration
from withstand.settings import Settings
from withstand.settings.plans import objectives_for
from withstand.slo import Objective, parse_objective

SCENARIO_SUFFIXES: Final = (".toml", ".json", ".jsonl")
# A weight has none of the characters of a path, so that `GET /rows(id={id})` is a key as it stands.
_WEIGHTED: Final = re.compile(r"(?P<key>.*[^=\s])\s*=(?P<weight>[^=/{}()]*)")


def weighted_operations(
    texts: tuple[str, ...], configured: Mapping[str, float]
) -> tuple[tuple[str, ...], Mapping[str, float]]:
    """The key patterns of `-o "GET /users=3"`, and the weights of all, those of flags first.

    Raises UsageError for a weight that is no number above zero.
    """
    patterns = []
    weights: dict[str, float] = {}
    for text in texts:
        match = _WEIGHTED.fullmatch(text)
        pattern = text if match is None else match["key"]
        patterns.append(pattern)
        if match is not None:
            weights[pattern] = _weight(match["weight"].strip(), text)
    return tuple(patterns), {**weights, **{k: v for k, v in configured.items() if k not in weights}}


def _weight(text: str, option: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise UsageError(
            f"--operation {option!r}: the weight {text!r} is no number above zero",
            hint='write it as "GET /users=3"; what is not to be sent is left out',
        )
    return weight


def scenario_file(argument: str | None) -> Path | None:
    """The scenario file that an argument names, if it is one and no address."""
    if argument is None or "://" in argument:
        return None
    file = Path(argument)
    return file if file.suffix.lower() in SCENARIO_SUFFIXES else None


def declaration_of(file: Path | None, settings: Settings) -> Declaration | None:
    """What a scenario file says; None without one. Raises UsageError."""
    if file is None:
        return None
    # Deferred: attrs and cattrs, which `--help` and completion need not wait for.
    from withstand.settings.scenario_file import load_scenario

    return load_scenario(file, settings)


def load_objectives(
    settings: Settings,
    texts: tuple[str, ...],
    *,
    declaration: Declaration | None = None,
    address: str | None = None,
) -> tuple[Objective, ...]:
    """The objectives of the flags, else those of the scenario file, else of the configuration.

    Of the configuration's, those that are on no request of the scenario file or the one address
    are left out. Raises UsageError for a flag's that is on none.
    """
    if declaration is not None:
        if not texts and declaration.objectives:
            return tuple(
                parse_objective(text, operation=name)
                for name, wanted in declaration.objectives.items()
                for text in wanted
            )
        source = str(declaration.source)
        names = tuple(request.name for request in declaration.requests)
    elif address is not None:
        request = request_for(address)
        source, names = address, (f"{request.method} {request.operation_path}",)
    else:
        return objectives_for(settings, texts)
    objectives = objectives_for(settings, texts)
    fitting = tuple(each for each in objectives if any(map(each.covers, names)))
    if texts and len(fitting) < len(objectives):
        odd = next(each for each in objectives if each not in fitting)
        raise UsageError(
            f"the objective {odd.text} is on {odd.operation!r}, which is no request of {source}",
            hint=f"it has {', '.join(names[:8])}{' …' if len(names) > 8 else ''}",
        )
    return fitting
