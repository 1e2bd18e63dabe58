"""What every test may use."""

import gc
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import HealthCheck, settings

from tests.demo.running import RunningDemo, running

pytest_plugins = ["pytester"]

# pytester takes back what its runs in this process import. A module of which a part was loaded
# before and the rest within would then exist twice, with exceptions that are not each other.
httpx2.Client().close()

# How long an example takes, or its making, says something of the machine and nothing of the code;
# and half of the usual hundred examples keep the suite quick. They are the same each time, so that
# a change is only blamed for what it did; `--hypothesis-profile=explore` looks for new ones.
_any_time = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _any_time, max_examples=50, derandomize=True)
settings.register_profile("explore", _any_time, max_examples=500)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Hide the 350,000 objects that exist by now, and stay, from the collector of cycles.

    Each load in this process begins with a full collection, which would look at them all: that was
    a third of a second for each of some hundred tests.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    # A load freezes what it finds, and thaws everything at its end.
    gc.freeze = gc.unfreeze = lambda: None


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningDemo]:
    """A demo without flaws, for all tests that ask it as users do. Starting one takes a second."""
    with running() as started:
        yield started
