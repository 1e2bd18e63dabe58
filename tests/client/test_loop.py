"""Which loop runs, and that the allocator takes its tuning."""

import asyncio
import platform
import subprocess
import sys

import pytest

from withstand.client.loop import run


def test_a_coroutine_runs_on_uvloop_and_its_result_and_exceptions_come_back() -> None:
    async def main(number: int) -> str:
        if number:
            raise LookupError(number)
        return type(asyncio.get_running_loop()).__module__

    assert run(main(0)).startswith("uvloop")
    with pytest.raises(LookupError, match="7"):
        run(main(7))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the tuning is of glibc's allocator")
def test_a_large_buffer_that_is_freed_is_not_given_back_to_the_system() -> None:
    # In a process of its own: the tuning cannot be undone. Where every buffer is mapped anew, a
    # thousand of them fault thousands of times; where memory is kept, hardly ever.
    script = """
import resource, sys
from withstand.client.allocator import tune_allocator
if sys.argv[1] == "tuned":
    assert tune_allocator()
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(1_000_000)
before = faults()
for _ in range(1_000):
    bytearray(1_000_000)
print(faults() - before)
"""
    tuned = subprocess.run(
        [sys.executable, "-c", script, "tuned"], capture_output=True, text=True, check=True
    )
    assert int(tuned.stdout) < 1_000
