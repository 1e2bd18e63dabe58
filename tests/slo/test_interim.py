"""How often looking again and again errs: the code that ends runs, on simulated services.

`benchmarks/statistics/false_aborts.py` has more services and more runs.
"""

import random
from itertools import islice

import pytest

from tests.slo.simulated_services import SERVICES, aborted_at
from withstand.slo.interim import FIRST_LOOK, look_at

RUNS = 40


def test_looks_grow_by_half() -> None:
    due = [windows for windows in range(1, 400) if look_at(windows)]
    assert due == [30, 45, 67, 100, 150, 225, 337]
    assert [look_at(windows) for windows in due] == [1, 2, 3, 4, 5, 6, 7]
    assert due[0] == FIRST_LOOK


@pytest.mark.parametrize(
    "name", ["independent", "bursts of 1 s, 50% slow", "bursts of 3 s, 100% slow"]
)
def test_a_service_at_its_limit_is_given_up_in_hardly_ever(name: str) -> None:
    aborted = [aborted_at(SERVICES[name], 0.05, "p95<200ms", seed) for seed in range(RUNS)]
    assert sum(at is not None for at in aborted) <= 1


def test_a_service_far_beyond_its_limit_is_given_up_at_the_first_look() -> None:
    aborted = [aborted_at(SERVICES["independent"], 0.10, "p95<200ms", seed) for seed in range(20)]
    assert aborted == [FIRST_LOOK] * 20


@pytest.mark.parametrize("name", SERVICES)
def test_the_services_have_the_share_that_they_are_said_to_have(name: str) -> None:
    draw = random.Random(1)
    levels = list(islice(SERVICES[name](draw, 0.05), 30_000))
    assert sum(levels) / len(levels) == pytest.approx(0.05, abs=0.015)
