"""The Results of a test under Locust. Pure, but for the clock."""

import time
from collections.abc import Sequence
from dataclasses import replace

from withstand import __version__
from withstand.load.generator import with_lagging
from withstand.load.measurement import LoadMeasurement
from withstand.results import Results
from withstand.slo import Objective, timing


def locust_results(
    measured: LoadMeasurement,
    *,
    objectives: Sequence[Objective],
    command: str,
    base_url: str,
    run_time_s: float | None,
    warm_up_s: float | None = None,
    strict: bool = False,
    interrupted: bool = False,
    config: str | None = None,
) -> Results:
    """What was measured, and what it is held against. Without a `run_time_s` the test was to last
    until somebody ended it. Raises UsageError for objectives that so short a test cannot show.
    """
    lasted_s = run_time_s or measured.duration_s
    skipped_s = timing(objectives, duration_s=lasted_s, warm_up_s=warm_up_s).warm_up_s
    return Results(
        started_at=measured.started_at,
        duration_s=time.time() - measured.started_at,
        version=__version__,
        command=command,
        base_url=base_url,
        config=config,
        load=with_lagging(replace(measured, warm_up_s=skipped_s, interrupted=interrupted)),
        objectives=tuple(objectives),
        strict=strict,
        interrupted=interrupted,
    )
