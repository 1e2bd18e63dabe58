"""The programs that hold files for CI systems to their schemas and to good practice, offline."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from check_jsonschema.cli import main as check_jsonschema  # type: ignore[import-untyped]  # none
from click.testing import CliRunner

_SCHEMA: Final = {
    "action": ("vendor.github-actions",),
    "github": ("vendor.github-workflows",),
    "gitlab": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    # Its expressions escape what `u` does not let them escape.
    "azure": (
        *("vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        *("--regex-variant", "nonunicode"),
    ),
}


def schema_problems(kind: str, files: Iterable[Path]) -> str:
    """What the schema of `action`, `github`, `gitlab` or `azure` says; empty if all is well."""
    names = [str(file) for file in files]
    # In this process: it takes a second to start, and four schemas are looked at.
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", *_SCHEMA[kind], *names])
    return "" if done.exit_code == 0 else done.output or repr(done.exception)


def workflow_problems(folder: Path, *, persona: str) -> str:
    """What zizmor finds in a folder's workflows and action; empty if all is well. `persona`:
    regular, or pedantic, which also reports what may be meant."""
    program = Path(sys.executable).parent / "zizmor"
    options = ("--offline", "--no-progress", "--quiet", "--no-config", f"--persona={persona}")
    done = subprocess.run([program, *options, folder], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or str(done.returncode)
