"""A probe of a process on this machine."""

import time
from typing import Final

import psutil

from withstand.load.measurement import ServerReading
from withstand.load.probe.sample import ProbeError

# Looking for child processes reads all of /proc, so it is done now and then.
_CHILDREN_EVERY_S: Final = 10.0


class ProcessProbe:
    """Reads a process and its children, such as the workers of a server, as one."""

    hint = "give the server's process id with --pid, as the server's user or as root"

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._process: psutil.Process | None = None
        self._children: list[psutil.Process] = []
        self._children_at_s: float | None = None

    def read(self) -> ServerReading:
        """Memory, descriptors, threads and CPU time now. Raises ProbeError."""
        try:
            if self._process is None:
                self._process = psutil.Process(self._pid)
            if self._process.status() == psutil.STATUS_ZOMBIE:
                raise ProbeError(f"process {self._pid} has ended")
            own = _reading(self._process)
            self._look_for_children(self._process)
        except psutil.NoSuchProcess:
            raise ProbeError(f"there is no process {self._pid}") from None
        except psutil.AccessDenied:
            raise ProbeError(f"process {self._pid} belongs to somebody else") from None
        parts = [own]
        for child in self._children:
            try:
                parts.append(_reading(child))
            except psutil.Error:  # a worker that ended since
                continue
        return ServerReading(
            rss_bytes=sum(part.rss_bytes or 0 for part in parts),
            # A share of them would look like a fall.
            descriptors=_sum([part.descriptors for part in parts]),
            threads=sum(part.threads or 0 for part in parts),
            cpu_s=sum(part.cpu_s or 0.0 for part in parts),
        )

    def _look_for_children(self, process: psutil.Process) -> None:
        now_s = time.monotonic()
        if self._children_at_s is None or now_s - self._children_at_s >= _CHILDREN_EVERY_S:
            self._children = process.children(recursive=True)
            self._children_at_s = now_s


def _reading(process: psutil.Process) -> ServerReading:
    with process.oneshot():
        times = process.cpu_times()
        return ServerReading(
            rss_bytes=int(process.memory_info().rss),
            descriptors=_descriptors(process),
            threads=process.num_threads(),
            cpu_s=times.user + times.system,
        )


def _descriptors(process: psutil.Process) -> int | None:
    try:
        return int(process.num_fds())
    except (psutil.AccessDenied, AttributeError):  # somebody else's process, or Windows
        return None


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
