"""One demo without flaws, as a real process, for all tests that leave it as they find it."""

from collections.abc import Iterator

import pytest

from .running import RunningDemo, running


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningDemo]:
    with running() as started:
        yield started
