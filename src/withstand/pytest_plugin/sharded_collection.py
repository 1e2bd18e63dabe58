"""Keeps the tests of one shard, and lets a shard without tests succeed."""

import pytest

from withstand.pytest_plugin.run_record import RUN


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what belongs to other shards, after -k, -m and plugins that reorder."""
    run = config.stash[RUN]
    if run.shard is None:
        return
    run.collected = len(items)
    kept: list[pytest.Item] = []
    deselected: list[pytest.Item] = []
    for item in items:
        (kept if run.shard.holds(shard_key(item)) else deselected).append(item)
    run.kept = len(kept)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = kept


def shard_key(item: pytest.Item) -> str:
    """What stays together: the xdist group of a test, else its outermost class, else itself."""
    groups = {_group_name(mark) for mark in item.iter_markers("xdist_group")}
    if groups:
        return "group:" + "_".join(sorted(groups))
    for node in item.listchain():
        if isinstance(node, pytest.Class):
            return node.nodeid
    return item.nodeid


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Exit code 0 instead of 5 when every collected test runs in another shard."""
    run = session.config.stash[RUN]
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and run.collected and run.kept == 0:
        session.exitstatus = pytest.ExitCode.OK


def _group_name(mark: pytest.Mark) -> str:
    return str(mark.args[0] if mark.args else mark.kwargs.get("name", "default"))
