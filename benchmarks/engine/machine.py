"""The machine: what it must have, and what it is called in results."""

import os
import platform
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nginx import installed

WANTED_FILES = 20_000


def require(*programs: str, packages: str) -> None:
    """Ends the process with a sentence where something is missing; allows it many files."""
    if not sys.platform.startswith("linux") or (os.cpu_count() or 1) < 2:
        raise SystemExit("this needs Linux and two cores: one for nginx, one for the generators")
    missing = [name for name in programs if not shutil.which(name)]
    if missing or not installed():
        names = ", ".join([*missing, *([] if installed() else ["nginx"])])
        raise SystemExit(f"not installed: {names}; on Debian: apt-get install {packages}")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def described(versions: Mapping[str, str]) -> dict[str, Any]:
    """Its processors, its system and the versions that matter."""
    processors = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpus": os.cpu_count(),
        "processor": processors[0] if processors else platform.machine(),
        "system": f"Linux {platform.release().split('-')[0]} {platform.machine()}",
        "versions": dict(versions),
    }


def said(*command: str) -> str:
    """The version in what a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - installed tools
    for word in (done.stderr + done.stdout).replace("/", " ").split():
        if word[:1].isdigit() and "." in word:
            return word
    return "of unknown version"
