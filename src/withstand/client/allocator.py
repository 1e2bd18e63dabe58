"""glibc's allocator, told to keep large buffers.

uvloop's TLS allocates a large read buffer for every response and shrinks it. Whether that falls
over glibc's mmap threshold depends on how the heap happens to lie; where it does, every request
maps, remaps and unmaps memory and faults twice, and throughput falls to a third, at random for
each process. Raising the thresholds before the loop starts removes the coin toss.
"""

import ctypes
import platform
from typing import Final

# <malloc.h>: parameters of mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3  # glibc before 2.35 takes no more than 32 MiB


def tune_allocator() -> bool:
    """Tune this process; call it before an event loop starts. False where there is no glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_M_TRIM_THRESHOLD, 1 << 30), (_M_MMAP_THRESHOLD, 32 << 20), (_M_TOP_PAD, 16 << 20))
    return all(mallopt(parameter, value) == 1 for parameter, value in settings)
