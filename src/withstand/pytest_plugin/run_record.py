"""What the plugin learns during one pytest run, in one place of `config.stash`."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from withstand.sharding import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When one phase of a test ran, in Unix seconds, and on which worker."""

    start_s: float
    stop_s: float
    worker: str
    performance: bool


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """Counters and links of one process; the controller's also has what the workers sent.

    `collected` and `kept` count tests before and after sharding, None before collection.
    `logins` maps the names of the identities that logged in to their roles. `secrets` maps what
    must never be printed to what stands for it. `inconclusive` has the node ids of tests whose
    objectives were neither met nor breached. `measured_ms` takes the time of each request of the
    clients while a test is measured, and is None otherwise. `shared_directory` is readable by this
    user alone and common to all processes of the run; None without xdist.
    """

    shard: Shard | None
    collected: int | None = None
    kept: int | None = None
    logins: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)
    measured_ms: list[float] | None = None
    shared_directory: Path | None = None

    def note_request(self, elapsed_ms: float) -> None:
        """Takes the time of one request."""
        if self.measured_ms is not None:
            self.measured_ms.append(elapsed_ms)


RUN = pytest.StashKey[RunRecord]()
