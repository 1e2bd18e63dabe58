"""Tests of the client run on both event loops."""

import pytest

from .certificates import Certificates, made_in
from .loops import LOOPS, Run, runner


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    return runner(LOOPS[request.param])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made_in(tmp_path_factory.mktemp("certificates"))
