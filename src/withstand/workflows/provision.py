"""The user's own hooks that make and remove users for the scan to spoil."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from withstand.errors import UsageError
from withstand.workflows.masking import masked_command

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_TIMEOUT_S: Final = 60.0


def provisioned(hook: str, here: Path) -> Mapping[str, str]:
    """The fields of a new user, from a command that prints them as JSON or from `module:function`.

    Raises UsageError, without showing what was printed: it may hold a password.
    """
    found = _called(hook, here, None)
    if isinstance(found, str | bytes):
        try:
            found = json.loads(found)
        except ValueError:
            raise UsageError(
                f"{_shown(hook)} printed no JSON",
                hint='let it print an object like {"email": "…", "password": "…"} and nothing else',
            ) from None
    if not isinstance(found, Mapping) or not found:
        raise UsageError(
            f"{_shown(hook)} gave no fields of a user",
            hint='an object like {"email": "…", "password": "…"} is expected',
        )
    return {str(name): str(value) for name, value in found.items() if value is not None}


def deprovisioned(hook: str, fields: Mapping[str, str], here: Path) -> None:
    """Removes a user: the command reads its fields as JSON, the function gets them as a mapping.

    Raises UsageError.
    """
    _called(hook, here, fields)


def _called(hook: str, here: Path, fields: Mapping[str, str] | None) -> Any:
    if _FUNCTION.fullmatch(hook):
        return _called_function(hook, here, fields)
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command, as in a shell
            hook,
            shell=True,
            cwd=here,
            input="" if fields is None else json.dumps(dict(fields)),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        raise UsageError(f"{_shown(hook)} {why}", hint="run it by hand") from None
    if done.returncode != 0:
        raise UsageError(
            f"{_shown(hook)} ended with exit code {done.returncode}", hint="run it by hand"
        )
    return done.stdout


def _called_function(hook: str, here: Path, fields: Mapping[str, str] | None) -> Any:
    module, _, name = hook.partition(":")
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"there is no {_shown(hook).removeprefix('the ')}: {error}") from None
    try:
        return function() if fields is None else function(dict(fields))
    except Exception as error:  # whatever the user's function raises
        raise UsageError(
            f"{_shown(hook)} raised {type(error).__name__}", hint="call it by hand"
        ) from None


def _shown(hook: str) -> str:
    return f"the hook {masked_command(hook)!r}"
