"""A search for the sustainable rate of a made-up API: eight workers, 20 ms each. Seeded."""

import random
from dataclasses import replace
from functools import cache

from tests.report import sample
from tests.slo.simulated_queue import Queue, search
from withstand.load.stress import StressMeasurement
from withstand.results import Results
from withstand.slo import parse_objective
from withstand.stats.capacity import SearchPlan
from withstand.stats.usl import Throughput

OBJECTIVES = (parse_objective("p95<100ms"), parse_objective("errors<5%"))


@cache
def measured() -> StressMeasurement:
    """About a dozen steps, and a sweep over users whose throughput falls in the end."""
    queue = Queue(random.Random(7), lambda draw: draw.expovariate(50.0))
    plan = SearchPlan(start_per_s=100.0, least_windows=5, most_windows=20, hold_windows=10)
    found = search(queue, OBJECTIVES, plan)
    draw = random.Random(7)
    sweep = tuple(
        Throughput(
            users=users,
            per_s=tuple(
                50 * users / (1 + 0.05 * (users - 1) + 0.001 * users * (users - 1))
                * draw.uniform(0.98, 1.02)
                for _ in range(3)
            ),
        )
        for users in (1, 2, 4, 8, 16, 32, 64)
    )  # fmt: skip
    return replace(found, sweep=sweep, left_out={"GET /users": "no identity may call it"})


def stress_only() -> Results:
    """Held: the objectives are met up to some 350 a second."""
    return replace(
        sample.load_only(),
        load=None,
        stress=measured(),
        objectives=OBJECTIVES,
        command="withstand stress --slo 'p95<100ms' --slo 'errors<5%'",
    )
