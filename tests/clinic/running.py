"""The clinic as a real process on a free port."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CONFIG = Path(__file__).parent / "withstand.toml"
ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def running(*flaws: str, session_in_body: bool = True) -> Iterator[str]:
    """The URL of a clinic with these flaws, stopped and waited for at the end."""
    command = [sys.executable, "-m", "tests.clinic", "--flaws", ",".join(flaws)]
    if session_in_body:
        command.append("--session-in-body")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://"), "it ended before it was ready"
            yield url
        finally:
            process.terminate()
            process.wait(timeout=10)


def config_for(url: str) -> str:
    """The withstand.toml of the clinic at this address."""
    return CONFIG.read_text().replace("${CLINIC_URL}", url)
