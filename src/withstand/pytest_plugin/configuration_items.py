"""The configuration's file as one that pytest collects: what holds items of its own is in it."""

from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.pytest_plugin.options import read_settings

_SOURCE = pytest.StashKey[Path]()


def collect_too(config: pytest.Config, source: Path) -> None:
    """Has the configuration collected beside the tests, as if it had been named."""
    if not any(_covers(argument, source, config) for argument in config.args):
        config.args = [*config.args, str(source)]


def configuration_source(config: pytest.Config, problem: str, hint: str) -> Path:
    """The configuration's file. Raises pytest.UsageError beginning with the problem without one."""
    if _SOURCE not in config.stash:
        try:
            source = read_settings(config).source
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        if source is None:
            raise pytest.UsageError(f"{problem}: there is no withstand.toml\n  → {hint}")
        config.stash[_SOURCE] = Path(source).resolve()
    return config.stash[_SOURCE]


def _covers(argument: str, source: Path, config: pytest.Config) -> bool:
    """Whether an argument names the file, items in it, or a directory around it."""
    named = (config.invocation_params.dir / argument.split("::", 1)[0]).resolve()
    return named == source or named in source.parents
