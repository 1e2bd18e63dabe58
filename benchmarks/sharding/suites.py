"""Suites as they are in the field: how many tests, in which classes, how long each takes."""

import json
import random
from collections.abc import Callable
from pathlib import Path

from withstand.sharding.member import Member

Suite = dict[Member, int]
"""A test and what it takes with set-up and teardown, in milliseconds, in the order of the files."""

_OWN = Path(__file__).with_name("own_suite.json")
_LONGEST_MS = 60_000


def api(rng: random.Random) -> Suite:
    """300 tests of an API: most are quick, a few take seconds."""
    return {_test(n, n // 20): _ms(rng.lognormvariate(4.6, 1.0)) for n in range(300)}


def heavy_tail(rng: random.Random) -> Suite:
    """1,200 tests whose times have a Pareto tail, up to a minute."""
    return {_test(n, n // 40): _ms(20 * rng.paretovariate(1.3)) for n in range(1_200)}


def classes(rng: random.Random) -> Suite:
    """About 400 tests in classes of 1 to 20, which Withstand keeps whole."""
    suite: Suite = {}
    for number in range(40):
        for _ in range(rng.randint(1, 20)):
            name = f"tests/test_{number // 4}.py::TestThing{number}"
            nodeid = f"{name}::test_{len(suite)}"
            suite[Member(nodeid=nodeid, outer_class=name)] = _ms(rng.lognormvariate(4.6, 1.0))
    return suite


def ties(rng: random.Random) -> Suite:
    """300 parametrised tests of 1 or 2 ms, many under one name, and 20 that take a second."""
    quick = {
        Member(nodeid=f"tests/test_{n % 10}.py::test_form[{n // 10}]"): rng.randint(1, 2)
        for n in range(300)
    }
    return quick | {_test(n, 20): _ms(rng.gauss(1_000, 150)) for n in range(300, 320)}


def own(_rng: random.Random) -> Suite:
    """A part of this project's own tests, as they were recorded once."""
    stored = json.loads(_OWN.read_text())
    return {Member(nodeid=nodeid): ms for nodeid, ms in stored.items()}


SUITES: dict[str, Callable[[random.Random], Suite]] = {
    "api": api,
    "heavy tail": heavy_tail,
    "classes": classes,
    "ties": ties,
    "own": own,
}


def recorded(truth: Suite, rng: random.Random, *, noise: float, unknown: float) -> Suite:
    """What a durations file says of a suite: off by a factor, and silent about some tests."""
    return {
        test: _ms(ms * rng.lognormvariate(0, noise))
        for test, ms in truth.items()
        if rng.random() >= unknown
    }


def _test(number: int, file: int) -> Member:
    return Member(nodeid=f"tests/test_{file}.py::test_{number}")


def _ms(ms: float) -> int:
    return max(1, min(_LONGEST_MS, round(ms)))
