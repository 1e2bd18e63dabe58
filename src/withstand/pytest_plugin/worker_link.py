"""What the controller of pytest-xdist and its workers tell each other."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from withstand.pytest_plugin.run_record import RUN, RunRecord

if TYPE_CHECKING:
    from withstand.pytest_plugin.division import Division

_KEY = "withstand"
_DURATIONS_KEY = "withstand_durations"


def worker_name(config: pytest.Config) -> str | None:
    """`gw0` and so on in a worker of pytest-xdist; None elsewhere."""
    name = _worker_input(config).get("workerid")
    return str(name) if name is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker: takes over the directory that the run shares, and the durations of tests."""
    session.config.stash[RUN].durations_text = _worker_input(session.config).get(
        _DURATIONS_KEY, session.config.stash[RUN].durations_text
    )
    shared = _worker_input(session.config).get(_KEY)
    # A worker on another machine sees no such directory and keeps its tokens to itself.
    if isinstance(shared, str) and Path(shared).is_dir():
        session.config.stash[RUN].shared_directory = Path(shared)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller: hands every worker the directory that the run shares, and durations."""
    run: RunRecord = node.config.stash[RUN]
    if run.shared_directory is None:
        # mkdtemp makes it readable by this user alone: the tokens of the run go there.
        run.shared_directory = Path(tempfile.mkdtemp(prefix="withstand-"))
    node.workerinput[_KEY] = str(run.shared_directory)
    node.workerinput[_DURATIONS_KEY] = run.durations_text


def publish_division(config: pytest.Config, division: "Division") -> None:
    """In a worker: leaves for the controller, which collects nothing, what was collected.

    In a file, because it has to be there before the first test ends: workers are killed, too.
    """
    shared, name = config.stash[RUN].shared_directory, worker_name(config)
    if shared is not None and name is not None:
        from withstand.pytest_plugin.division import stored

        _division_file(shared, name).write_text(json.dumps(stored(division)))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """In the controller: takes what a worker collected. Every worker collects the same."""
    run: RunRecord = node.config.stash[RUN]
    if run.division is None and run.shared_directory is not None:
        file = _division_file(run.shared_directory, node.gateway.id)
        if file.exists():
            from withstand.pytest_plugin.division import restored

            run.division = restored(json.loads(file.read_text()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: leaves what it learned for the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        run = session.config.stash[RUN]
        output[_KEY] = {
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
    run.logins.update(sent["logins"])
    run.notes += (note for note in sent["notes"] if note not in run.notes)
    run.facts += (fact for fact in sent["facts"] if fact not in run.facts)
    run.void = run.void or sent["void"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the controller: removes the tokens of the run."""
    run = config.stash[RUN]
    if run.shared_directory is not None and worker_name(config) is None:
        shutil.rmtree(run.shared_directory, ignore_errors=True)


def _division_file(shared: Path, worker: str) -> Path:
    return shared / f"division-{worker}.json"


def _worker_input(config: pytest.Config) -> Mapping[str, Any]:
    return getattr(config, "workerinput", {})
