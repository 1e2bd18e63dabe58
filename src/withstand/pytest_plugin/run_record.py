"""What the plugin learns during one pytest run, in one place of `config.stash`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from withstand.sharding import Shard

if TYPE_CHECKING:
    from withstand.pytest_plugin.division import Division


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When one phase of a test ran, in Unix seconds, and on which worker.

    `timed` says that it is the body of a test about time, `verdicts` what it measured: state and
    sentence of each.
    """

    nodeid: str
    start_s: float
    stop_s: float
    worker: str
    timed: bool
    verdicts: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """Counters and links of one process; the controller's also has what the workers sent.

    `division` is what was collected and what of it runs here, None where neither shards nor a
    journal are asked for, and before the collection. `durations_text` is the file of durations,
    read once for all processes of a run.
    `logins` maps the names of the identities that logged in to their roles. `secrets` maps what
    must never be printed to what stands for it. `spans` are those of every test, where results are
    shown. `requests_ns` takes the time of each request of the clients while a call is measured, and
    is None otherwise. `shared_directory` is readable by this user alone and common to all processes
    of the run; None without xdist. `notes` are what a scan wants nobody to miss, `facts` what it
    found in order at its end, `void` why its verdicts cannot be trusted.
    """

    shard: Shard | None
    durations_text: str | None = None
    division: "Division | None" = None
    logins: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    requests_ns: list[int] | None = None
    shared_directory: Path | None = None
    notes: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    void: str | None = None

    def note_request(self, elapsed_ns: int) -> None:
        """Takes the time of one request."""
        if self.requests_ns is not None:
            self.requests_ns.append(elapsed_ns)


RUN = pytest.StashKey[RunRecord]()

# Of a test: for each measurement, state and sentence of each verdict.
MEASURED = pytest.StashKey[list[tuple[tuple[str, str], ...]]]()
