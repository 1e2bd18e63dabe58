"""The pytest plugin: markers, fixtures, shards and a summary for tests of an HTTP API.

Every pytest run on a machine that has Withstand installed imports this package, so it imports
only pytest and light parts of the standard library; what a test asks for is imported then.
`-p no:withstand` switches all of it off.
"""

import pytest

from withstand.pytest_plugin import (
    fixtures,
    isolation,
    journal_file,
    markers,
    measured_tests,
    redaction,
    sharded_collection,
    summary,
    worker_link,
)
from withstand.pytest_plugin.journal_file import pytest_load_initial_conftests
from withstand.pytest_plugin.options import pytest_addoption, pytest_cmdline_main, requested_shard
from withstand.pytest_plugin.run_record import RUN, RunRecord

__all__ = [
    "pytest_addoption",
    "pytest_cmdline_main",
    "pytest_configure",
    "pytest_load_initial_conftests",
]


def pytest_configure(config: pytest.Config) -> None:
    """Registers the parts, each a module that holds its own hooks."""
    config.stash[RUN] = RunRecord(shard=requested_shard(config.option))
    parts = (
        markers,
        measured_tests,
        fixtures,
        redaction,
        isolation,
        sharded_collection,
        worker_link,
        summary,
    )
    for part in parts:
        config.pluginmanager.register(part, part.__name__)
    if journal_file.is_kept_account_of(config.option) and worker_link.worker_name(config) is None:
        from withstand.pytest_plugin import suite_journal

        suite_journal.follow(config)
    if config.getoption("withstand_slo"):
        from withstand.pytest_plugin import objective_items

        config.pluginmanager.register(objective_items, objective_items.__name__)
    if config.getoption("withstand_scan"):
        from withstand.pytest_plugin import scan_items

        config.pluginmanager.register(scan_items, scan_items.__name__)
