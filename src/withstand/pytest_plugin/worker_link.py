"""What the controller of pytest-xdist and its workers tell each other."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from withstand.pytest_plugin.run_record import RUN, RunRecord

_KEY = "withstand"


def worker_name(config: pytest.Config) -> str | None:
    """`gw0` and so on in a worker of pytest-xdist; None elsewhere."""
    name = _worker_input(config).get("workerid")
    return str(name) if name is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker: takes over the directory that the run shares."""
    shared = _worker_input(session.config).get(_KEY)
    # A worker on another machine sees no such directory and keeps its tokens to itself.
    if isinstance(shared, str) and Path(shared).is_dir():
        session.config.stash[RUN].shared_directory = Path(shared)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller: hands every worker the directory that the run shares."""
    run: RunRecord = node.config.stash[RUN]
    if run.shared_directory is None:
        # mkdtemp makes it readable by this user alone: the tokens of the run go there.
        run.shared_directory = Path(tempfile.mkdtemp(prefix="withstand-"))
    node.workerinput[_KEY] = str(run.shared_directory)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: leaves what it learned for the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        run = session.config.stash[RUN]
        output[_KEY] = {
            "collected": run.collected,
            "kept": run.kept,
            "logins": run.logins,
            "notes": run.notes,
            "facts": run.facts,
            "void": run.void,
        }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the controller: takes what a worker left. A worker that crashed left nothing."""
    sent = getattr(node, "workeroutput", {}).get(_KEY)
    if not isinstance(sent, Mapping):
        return
    run: RunRecord = node.config.stash[RUN]
    # Every worker collects the whole suite, so their counts are the same.
    if sent["collected"] is not None:
        run.collected, run.kept = sent["collected"], sent["kept"]
    run.logins.update(sent["logins"])
    run.notes += (note for note in sent["notes"] if note not in run.notes)
    run.facts += (fact for fact in sent["facts"] if fact not in run.facts)
    run.void = run.void or sent["void"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the controller: removes the tokens of the run."""
    run = config.stash[RUN]
    if run.shared_directory is not None and worker_name(config) is None:
        shutil.rmtree(run.shared_directory, ignore_errors=True)


def _worker_input(config: pytest.Config) -> Mapping[str, object]:
    return getattr(config, "workerinput", {})
