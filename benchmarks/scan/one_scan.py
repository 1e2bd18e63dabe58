"""One scan in this process, and what each check of it cost."""

import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from withstand.scan.catalogue import chosen, provoking
from withstand.scan.records.record import ScanRecord
from withstand.scan.run.outcomes import Outcomes
from withstand.scan.wire.driver import Errand
from withstand.settings import load_settings
from withstand.settings.plans import api_for, scan_plan
from withstand.workflows import Occasion, run_scan


@dataclass(slots=True)
class Cost:
    """What one check, or one phase, took."""

    requests: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Scanned:
    """What a scan found and what it cost."""

    record: ScanRecord
    costs: dict[str, Cost] = field(default_factory=dict)

    @property
    def findings(self) -> set[tuple[str, str]]:
        """(check, operation) of each finding; "*" for one of the whole API."""
        return {
            (finding.check, "*" if finding.whole_api else operation)
            for finding in self.record.findings
            for operation in finding.operations or ("*",)
        }


def scanned(
    config: str,
    *,
    only: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    profile: str | None = None,
) -> Scanned:
    """Scans the API that the text of a withstand.toml describes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "withstand.toml"
        file.write_text(config)
        settings = load_settings(config_file=file, environ={})
        target = settings.target(allow=())
        plan = scan_plan(
            settings,
            target,
            api_for(settings, target),
            checks=chosen(only, without),
            provoking=provoking(only, without),
            profile=profile,
        )
        costs: dict[str, Cost] = defaultdict(Cost)
        with _watched(costs):
            results = run_scan(plan, Occasion(command="withstand scan"))
    assert results.scan is not None
    return Scanned(record=results.scan, costs=dict(costs))


@contextlib.contextmanager
def _watched(costs: dict[str, Cost]) -> Iterator[None]:
    """While it lasts, what scans do for each check is added up."""
    with contextlib.ExitStack() as patches:
        for name in ("judge", "begun", "finish"):
            patches.enter_context(patch.object(Outcomes, name, _counted(name, costs)))
        yield


def _counted(name: str, costs: dict[str, Cost]) -> Any:
    real = getattr(Outcomes, name)

    async def counted(outcomes: Outcomes, asked: Any, *rest: Any) -> Any:
        if name == "judge" and not rest[0]:
            return await real(outcomes, asked, *rest)  # for the whole API: as a part of `begun`
        began_s, began = time.perf_counter(), outcomes.courier.requests
        try:
            return await real(outcomes, asked, *rest)
        finally:
            cost = costs[asked.check.name if isinstance(asked, Errand) else asked.name]
            cost.requests += outcomes.courier.requests - began
            cost.seconds += time.perf_counter() - began_s

    return counted
