"""Whether a command line of `withstand load` is for Locust or for the own engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from withstand.load.engine.script_file import is_locustfile

_FILE: Final = ("-f", "--file", "--locustfile")
_ROLES: Final = ("--master", "--worker")


def wants_locust(arguments: Sequence[str]) -> bool:
    """Whether it names a locustfile, in any of the ways in which Locust takes them, or says
    `--engine locust`, or one of the roles that only Locust's processes have.
    """
    engine = _value(arguments, "--engine")
    if engine == "locust" or any(role in arguments for role in _ROLES):
        return True
    for name in _FILE:
        if (value := _value(arguments, name)) is not None:
            return _is_locusts(value)
    return any(each.endswith(".py") and is_locustfile(Path(each)) for each in arguments)


def _is_locusts(value: str) -> bool:
    if value == "-" or "," in value or "://" in value:
        return True  # the master's, several, or one to be fetched: only Locust knows these
    path = Path(value)
    if path.is_dir():
        return any(is_locustfile(each) for each in path.rglob("*.py"))
    return is_locustfile(path)


def _value(arguments: Sequence[str], name: str) -> str | None:
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if name.startswith("--") and argument.startswith(f"{name}="):
            return argument.partition("=")[2]
        if not name.startswith("--") and argument.startswith(name) and len(argument) > len(name):
            return argument.removeprefix(name).removeprefix("=")
    return None
