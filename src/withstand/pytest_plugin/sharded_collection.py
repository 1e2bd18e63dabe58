"""Keeps the tests of one shard, and lets a shard without tests succeed."""

from typing import TYPE_CHECKING

import pytest

from withstand.pytest_plugin.journal_file import is_kept_account_of
from withstand.pytest_plugin.options import read_durations
from withstand.pytest_plugin.run_record import RUN
from withstand.pytest_plugin.worker_link import publish_division, worker_name
from withstand.sharding import Shard

if TYPE_CHECKING:
    from withstand.pytest_plugin.division import Division


def pytest_configure(config: pytest.Config) -> None:
    """Reads the durations, once: the workers of pytest-xdist get what was read here."""
    run = config.stash[RUN]
    if run.shard is not None and worker_name(config) is None:
        run.durations_text = read_durations(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what belongs to other shards, after -k, -m and plugins that reorder."""
    run = config.stash[RUN]
    if run.shard is None and not is_kept_account_of(config.option):
        return
    run.division, runs_here = _division(config, items)
    publish_division(config, run.division)
    deselected = [item for item, runs in zip(items, runs_here, strict=True) if not runs]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item, runs in zip(items, runs_here, strict=True) if runs]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Exit code 0 instead of 5 when every collected test runs in another shard."""
    division = session.config.stash[RUN].division
    if (
        session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        and division is not None
        and division.collected
        and not division.kept
    ):
        session.exitstatus = pytest.ExitCode.OK


def _division(config: pytest.Config, items: list[pytest.Item]) -> tuple["Division", list[bool]]:
    """The division, and for each item whether it runs here."""
    from withstand.pytest_plugin.division import divide, member_of
    from withstand.sharding.member import ShardBy
    from withstand.sharding.plan import ShardMode

    run = config.stash[RUN]
    members = [member_of(item) for item in items]
    division = divide(
        members,
        shard=run.shard or Shard(number=1, total=1),
        by=ShardBy(config.getoption("shard_by")),
        mode=ShardMode(config.getoption("shard_mode")),
        durations_text=run.durations_text,
    )
    kept = frozenset(division.kept)
    return division, [each.nodeid in kept for each in members]
