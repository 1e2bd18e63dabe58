"""Tests of the client run on both event loops."""

import pytest

from .loops import LOOPS, Run, runner


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    return runner(LOOPS[request.param])
