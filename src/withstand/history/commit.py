"""Which commit a run was about: what CI says, or git in the current directory."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

VARIABLES: Final = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",  # GitLab
    "BUILDKITE_COMMIT",
    "CIRCLE_SHA1",
    "BITBUCKET_COMMIT",
    "BUILD_SOURCEVERSION",  # Azure Pipelines
    "DRONE_COMMIT_SHA",
    "TRAVIS_COMMIT",
    "GIT_COMMIT",  # Jenkins
)
_HASH: Final = re.compile(r"[0-9a-f]{7,64}")
_PATIENCE_S: Final = 5.0


def current_commit(
    environ: Mapping[str, str] | None = None, *, here: Path | None = None
) -> str | None:
    """The commit's hash; None where neither CI nor git knows of one."""
    variables = os.environ if environ is None else environ
    for name in VARIABLES:
        if _HASH.fullmatch(value := variables.get(name, "").strip().lower()):
            return value
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - the git that the user has
            cwd=here,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # no git here, or a disk that is asleep
        return None
    said = done.stdout.strip()
    return said if done.returncode == 0 and _HASH.fullmatch(said) else None
