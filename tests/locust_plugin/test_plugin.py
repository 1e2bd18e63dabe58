"""What the plug-in makes of Locust's events in an order that cannot be had at will."""

import subprocess
import sys

_JOINS = """
from locust.env import Environment

from withstand.locust_plugin.plugin import Plugin

environment = Environment()
Plugin().begin(environment.events)
environment.events.test_start.fire(environment=environment)
report = {}
environment.events.report_to_master.fire(client_id="a", data=report)
assert report["withstand"]
"""


def test_a_worker_hears_of_a_test_that_it_joins_before_it_has_a_runner() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _JOINS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
