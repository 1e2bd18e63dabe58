"""A machine that goes away in the middle, where the rehearsal asks for it."""

import os
import signal

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Kills this process, as the kernel does for want of memory."""
    if item.nodeid == os.environ.get("DIES_AT"):
        os.kill(os.getpid(), signal.SIGKILL)
