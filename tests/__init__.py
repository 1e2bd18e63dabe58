"""The tests. This is imported before anything that they import."""

import gc
import os
import sys

# Hundreds of processes import the same packages. Where the environment forbids to keep what was
# compiled, as many containers do, each of them would compile it anew: half of the suite's time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Collecting makes hundreds of thousands of objects that stay: nothing for the collector of cycles,
# which conftest.py lets look again once they are there.
gc.disable()
