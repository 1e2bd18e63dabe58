"""The allocator keeps large buffers: proved by counting page faults, which no noise changes."""

import platform
import subprocess
import sys

import pytest

ROUNDS = 2_000

# What the loop's TLS does for every response: a large buffer is made, touched and let go. ctypes
# asks malloc itself, past Python's own arenas; the first touch of a page that was given back is a
# fault. Left alone, glibc moves its threshold when it sees the first such buffer, or does not,
# as the heap happens to lie; fixing it at its initial 128 KiB is the unlucky case, every time.
PROGRAM = f"""
import ctypes, resource, sys
from withstand.client.allocator import tune_allocator

libc = ctypes.CDLL(None)
libc.mallopt(-3, 128 * 1024)
if "tuned" in sys.argv:
    assert tune_allocator()
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = (ctypes.c_size_t,)
libc.free.argtypes = (ctypes.c_void_p,)

def cycle():
    buffer = libc.malloc(256 * 1024)
    ctypes.memset(buffer, 1, 64)
    libc.free(buffer)

for _ in range(100):
    cycle()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    cycle()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc to tune")
def test_a_large_buffer_is_not_mapped_anew_each_time() -> None:
    assert faults("tuned") < ROUNDS / 100
    assert faults() >= ROUNDS
