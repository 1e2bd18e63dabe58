"""When paced iterations are due, by the clock of whichever Locust is installed."""

import json
import subprocess
import sys

_PROGRAM = """
import json
from time import perf_counter_ns

import gevent
from locust import User, constant_pacing, task
from locust.env import Environment

from withstand.locust_plugin.install import install
from withstand.locust_plugin.pacing import PACING

late_s = []


class Paced(User):
    wait_time = constant_pacing(0.2)

    @task
    def work(self):
        late_s.append((perf_counter_ns() - self.withstand_due_ns) / 1e9)
        if len(late_s) == 2:
            gevent.sleep(0.7)


install()
runner = Environment(user_classes=[Paced]).create_local_runner()
runner.start(1, spawn_rate=1)
with gevent.Timeout(20):
    while len(late_s) < 4:
        gevent.sleep(0.01)
print(json.dumps([late_s[1:4], PACING.missed]))
"""


def late() -> tuple[list[float], int]:
    """How late the second to fourth iteration were, and how many never took place."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    late_s, missed = json.loads(done.stdout)
    return late_s, missed


def test_an_iteration_is_due_a_pacing_after_the_one_before() -> None:
    for _ in range(3):  # a busy machine may hold one up, and hardly three
        (second_s, third_s, fourth_s), missed = late()
        if max(second_s, third_s - 0.5, fourth_s) < 0.1:
            break
    assert 0 <= second_s < 0.15
    assert 0.5 <= third_s < 0.65  # the one before took 0.7 s of a pacing of 0.2 s
    assert 0 <= fourth_s < 0.15
    assert missed == 2
