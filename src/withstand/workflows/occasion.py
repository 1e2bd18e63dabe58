"""What a run is held against, and the Results of a run that is over."""

import time
from dataclasses import dataclass
from typing import Any

from withstand import __version__
from withstand.client.target import Target
from withstand.openapi.operation import Api
from withstand.results import Results
from withstand.scan.finding import KnownFinding, Severity
from withstand.scan.records.suppression import Suppression
from withstand.slo import Objective, SoakRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The findings that are known, and the name of the file that says so."""

    file: str
    known: tuple[KnownFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a run is held against, and how it was asked for: goes into the Results as it is."""

    command: str
    config: str | None = None
    commit: str | None = None
    objectives: tuple[Objective, ...] = ()
    soak: SoakRules | None = None
    fail_on: Severity = Severity.MEDIUM
    strict: bool = False
    suppressions: tuple[Suppression, ...] = ()
    baseline: Baseline | None = None


def results_of(
    target: Target,
    occasion: Occasion,
    started_at: float,
    *,
    api: Api | None = None,
    **parts: Any,
) -> Results:
    return Results(
        started_at=started_at,
        duration_s=time.time() - started_at,
        version=__version__,
        command=occasion.command,
        base_url=target.base_url,
        api_title=api.title if api else None,
        api_version=api.version if api else None,
        config=occasion.config,
        commit=occasion.commit,
        objectives=occasion.objectives,
        soak=occasion.soak,
        fail_on=occasion.fail_on,
        strict=occasion.strict,
        **parts,
    )
