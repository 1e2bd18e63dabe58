"""What every test may use."""

import os

import httpx2
import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# How long an example takes says something of the machine and its other work, not of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# pytester takes back what its runs in this process import. A module of which a part was loaded
# before and the rest within would then exist twice, with exceptions that are not each other.
httpx2.Client().close()

# How long an example takes says something of the machine and nothing of the code; and half of the
# usual hundred examples keep the suite quick.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: half of the tests wait for servers that keep real time."""
    return max((os.cpu_count() or 1) * 3 // 2, 1)
