"""The demo, started by forking a process that has imported it already: a start takes a fraction of
a second in place of some, so that a benchmark can have hundreds.

    python -m benchmarks.statistics.quick_demo SOCKET ARGUMENT...

hands the arguments of `python -m withstand.demo` to the process that listens on SOCKET, and ends
what that started when it is told to end.
"""

import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def serve_forks(path: Path) -> int:
    """Starts the process that forks; its process id. It ends by SIGTERM."""
    from withstand.demo.__main__ import main  # what takes so long

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        if (pid := os.fork()) != 0:
            return pid
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while True:
            connection, _ = listening.accept()
            with connection:
                arguments = connection.recv(65_536).decode().split("\0")
                if (child := os.fork()) != 0:
                    connection.sendall(str(child).encode())
                    continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - the ready line is for nobody
                sys.stdout = nowhere
                os._exit(main(arguments))


def launch(path: str, arguments: list[str]) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(path)
        asking.sendall("\0".join(arguments).encode())
        pid = int(asking.recv(64))

    def stop(_number: int, _frame: FrameType | None) -> None:
        os.kill(pid, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        signal.pause()


if __name__ == "__main__":
    launch(sys.argv[1], sys.argv[2:])
