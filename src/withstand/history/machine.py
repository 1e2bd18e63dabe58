"""What this machine is, and how fast it is at the moment: what makes runs comparable."""

import hashlib
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TIMES: Final = 9
_STEPS: Final = 5_000  # about 0.3 ms, which the scheduler often leaves in one piece
_MOST_NS: Final = 25_000_000  # on a slow machine fewer times have to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A kind of machine. Of two with one fingerprint, the runs are compared.

    Of kernel and Python only the first two numbers count: those after them change every few weeks,
    and no history would ever grow long enough.
    """

    cpu: str
    cores: int
    kernel: str
    python: str

    @property
    def description(self) -> str:
        """As a person reads it."""
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.cpu}, {cores}, {self.kernel}, {self.python}"

    @property
    def fingerprint(self) -> str:
        """12 hex digits of it."""
        return hashlib.sha256(self.description.encode()).hexdigest()[:12]


def this_machine() -> Machine:
    """The machine that this runs on. Cores are those that it may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Machine(
        cpu=_cpu_model(),
        cores=cores or 1,
        kernel=f"{platform.system()} {_two_numbers(platform.release())}",
        python=f"{platform.python_implementation()} {_two_numbers(platform.python_version())}",
    )


def calibration_ns() -> int:
    """How long a fixed piece of work takes here and now: the least of several times, in which
    neighbours and interrupts have the smallest part."""
    begin_ns = time.perf_counter_ns()
    least_ns = _timed_ns()
    for _ in range(_TIMES - 1):
        if time.perf_counter_ns() - begin_ns > _MOST_NS:
            break
        least_ns = min(least_ns, _timed_ns())
    return least_ns


def _timed_ns() -> int:
    begin_ns = time.perf_counter_ns()
    total = 0
    for step in range(_STEPS):
        total = (total * 31 + step) & 0xFFFF
    return max(time.perf_counter_ns() - begin_ns, 1)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown CPU"


def _two_numbers(version: str) -> str:
    return ".".join(version.split("-")[0].split(".")[:2])
