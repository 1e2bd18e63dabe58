"""Where the journal of a run is, and that it is there before anything can go wrong.

A `conftest.py` that cannot be imported ends pytest before its plugins are configured. A journal
without a line says that a run was to be there, so that a merge does not take it for none.
"""

import argparse
import os
from contextlib import suppress
from pathlib import Path

import pytest

from withstand.pytest_plugin.options import requested_shard


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begins the journal anew, with nothing in it."""
    options = early_config.known_args_namespace
    if options.help or "PYTEST_XDIST_WORKER" in os.environ or not is_kept_account_of(options):
        return
    with suppress(OSError, pytest.UsageError):  # both are told where the run begins
        if (path := journal_path(early_config, options)) is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")


def journal_path(config: pytest.Config, options: argparse.Namespace | None = None) -> Path | None:
    """The file that the options ask for, by default those of the configuration; None without one.
    Raises pytest.UsageError.
    """
    options = options or config.option
    if options.withstand_report_dir is None:
        return None
    shard = requested_shard(options)
    # Each shard has a name of its own, so that all fit into one directory.
    name = f"suite-{shard.number}-of-{shard.total}" if shard is not None else "suite"
    return Path(config.invocation_params.dir, options.withstand_report_dir, f"{name}.jsonl")


def is_kept_account_of(options: argparse.Namespace) -> bool:
    """Whether the run leaves a journal or durations."""
    asked = options.withstand_report_dir or options.store_shard_durations
    return bool(asked and not options.collectonly)  # a listing leaves the last run's alone
