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
def test_a_large_buffer_that_shrinks_is_not_mapped_anew_for_every_response() -> None:
    # In a process of its own, as the tuning cannot be undone. Untuned, this is 65 page faults for
    # each buffer.
    script = """
import resource
from withstand.client.allocator import tune_allocator

assert tune_allocator()

def faults_of(number):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(number):
        buffer = bytearray(262_144)
        del buffer[100:]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults_of(10)
print(faults_of(1_000))
"""
    tuned = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(tuned.stdout) < 1_000
