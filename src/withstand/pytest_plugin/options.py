"""The command-line options, and what is wrong with them before anything runs."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from withstand.errors import UsageError
from withstand.sharding import Shard, parse_shard

if TYPE_CHECKING:
    from withstand.settings import Settings

# Spelled out twice: reading it costs an import that most runs do not need.
_DEFAULT_BUDGET, _DEFAULT_BUDGET_S = "30s", 30.0

_DURATIONS_FILE = "withstand.durations.json"

_PYTEST_SHARD_CLASH = (
    "pytest-shard is installed and owns --shard-id and --num-shards (it counts from 0).\n"
    "  → remove it, or add -p no:pytest-shard; then count the shards from 1"
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Adds the options; says so when pytest-shard holds the same names."""
    if _pytest_shard_is_coming(pluginmanager):
        raise pytest.UsageError(_PYTEST_SHARD_CLASH)
    group = parser.getgroup("withstand", "withstand: load and security of an HTTP API")
    group.addoption(
        "--api-url",
        metavar="URL",
        help="base URL of the API under test, before what withstand.toml says",
    )
    group.addoption(
        "--withstand-slo",
        action="store_true",
        help="hold the API against [slo] too: one test for each operation and objective, with "
        "--withstand-budget for each operation",
    )
    group.addoption(
        "--withstand-scan",
        action="store_true",
        help="run the security checks too: one test for each check and operation",
    )
    group.addoption(
        "--withstand-config",
        metavar="FILE",
        help="the configuration, instead of the nearest withstand.toml or pyproject.toml",
    )
    group.addoption(
        "--withstand-budget",
        metavar="TIME",
        default=_DEFAULT_BUDGET,
        help="how long one test with objectives may repeat its calls (default %(default)s)",
    )
    group.addoption(
        "--withstand-strict",
        action="store_true",
        help="an objective that is neither met nor breached for certain, or a security check that "
        "cannot tell, fails its test, which is skipped otherwise",
    )
    try:
        group.addoption(
            "--shard-id",
            metavar="K",
            help="run only shard K of N, counted from 1; needs --num-shards",
        )
        group.addoption("--num-shards", metavar="N", help="how many shards the suite is cut into")
    except (ValueError, argparse.ArgumentError):  # which of the two depends on pytest
        raise pytest.UsageError(_PYTEST_SHARD_CLASH) from None
    group.addoption("--shard", metavar="K/N", help="the same in one option: --shard 2/4")
    group.addoption(
        "--shard-by",
        choices=("test", "class", "module", "group"),
        default="class",
        help="what stays together: nothing, each class (default), each file, or each xdist_group, "
        "which also stays whole in classes and files",
    )
    group.addoption(
        "--shard-mode",
        choices=("stable", "collected"),
        default="stable",
        help="cut by the durations file alone, so that nothing is lost when shards collect "
        "different tests (stable, the default), or by what was collected, which balances -k and "
        "-m better",
    )
    group.addoption(
        "--shard-durations",
        metavar="FILE",
        help=f"how long tests take; default {_DURATIONS_FILE} in the root directory, if it is "
        "there. `withstand merge --durations` writes it",
    )
    group.addoption(
        "--store-shard-durations",
        action="store_true",
        help="note in that file how long each test took that passed; needs a run without shards",
    )
    group.addoption(
        "--withstand-report-dir",
        metavar="DIR",
        help="keep a journal of the run there, test by test, for `withstand merge` and "
        "`withstand report`",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuses impossible options with one sentence and exit code 4."""
    shard = requested_shard(config.option)
    if config.getoption("store_shard_durations") and shard is not None and shard.total > 1:
        raise pytest.UsageError(
            f"--store-shard-durations needs the whole suite, and this is shard {shard}\n"
            "  → give every shard --withstand-report-dir, then run `withstand merge --durations`"
        )
    if shard is not None or config.getoption("store_shard_durations"):
        read_durations(config)
    measuring_budget_s(config)
    if config.getoption("api_url") is not None or config.getoption("withstand_config") is not None:
        try:
            read_settings(config).target()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None


def requested_shard(options: argparse.Namespace) -> Shard | None:
    """The shard that the options ask for; None without one. Raises pytest.UsageError."""
    try:
        pair = _shard_of_pair(options.shard_id, options.num_shards)
        single = parse_shard(options.shard) if options.shard is not None else None
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    if pair is not None and single is not None and pair != single:
        raise pytest.UsageError(
            f"--shard {single} and --shard-id={pair.number} --num-shards={pair.total} disagree\n"
            "  → pass only one of them"
        )
    return pair or single


def durations_file(config: pytest.Config) -> Path:
    """Where the durations of tests are, or would be."""
    named = config.getoption("shard_durations")
    if named is None:
        return config.rootpath / _DURATIONS_FILE
    return Path(config.invocation_params.dir, named)


def read_durations(config: pytest.Config) -> str | None:
    """The text of the durations file; None where there is none and none was named.

    Raises pytest.UsageError for one that cannot be read or holds something else.
    """
    from withstand.sharding.durations import parse_durations

    file = durations_file(config)
    try:
        text = file.read_text(encoding="utf-8")
        parse_durations(text, source=str(file))
    except FileNotFoundError:
        if config.getoption("shard_durations") is None or config.getoption("store_shard_durations"):
            return None
        raise pytest.UsageError(
            f"there is no file of durations {file}\n"
            "  → write it with --store-shard-durations in a run of the whole suite"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise pytest.UsageError(
            f"the durations of {file} cannot be read: {error}\n  → name another file"
        ) from None
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    return text


def measuring_budget_s(config: pytest.Config) -> float:
    """How long one test with objectives may take, in seconds. Raises pytest.UsageError."""
    text = config.getoption("withstand_budget")
    if text == _DEFAULT_BUDGET:
        return _DEFAULT_BUDGET_S
    from withstand.units import parse_duration_ns

    try:
        return parse_duration_ns(text) / 1_000_000_000
    except UsageError as error:
        raise pytest.UsageError(f"--withstand-budget: {error}") from None


def inconclusive_fails(config: pytest.Config) -> bool:
    """Whether a test whose objectives are inconclusive fails, instead of being skipped."""
    return bool(config.getoption("withstand_strict"))


def read_settings(config: pytest.Config, *, api_url: str | None = None) -> "Settings":
    """The settings for this run. Raises withstand.errors.UsageError.

    They are looked for from the directory pytest was started in, then from its root directory.
    `api_url` comes before everything else; without it, the option --api-url does.
    """
    from withstand.settings import load_settings

    url = api_url if api_url is not None else config.getoption("api_url")
    overrides = {"target.base_url": url} if url is not None else None
    file = config.getoption("withstand_config")
    if file is not None:
        return load_settings(config_file=config.invocation_params.dir / file, overrides=overrides)
    settings = load_settings(start=config.invocation_params.dir, overrides=overrides)
    if settings.source is None and config.rootpath != config.invocation_params.dir:
        return load_settings(start=Path(config.rootpath), overrides=overrides)
    return settings


def _shard_of_pair(number: str | None, total: str | None) -> Shard | None:
    if number is None and total is None:
        return None
    if number is None or total is None:
        given, missing = (
            (f"--shard-id={number}", "--num-shards")
            if total is None
            else (f"--num-shards={total}", "--shard-id")
        )
        raise UsageError(
            f"{given} needs {missing} beside it",
            hint="write --shard-id=1 --num-shards=4 for the first of four",
        )
    return Shard(number=_whole("--shard-id", number), total=_whole("--num-shards", total))


def _whole(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(
            f"{option} is {text!r} and must be a whole number",
            hint="write --shard-id=1 --num-shards=4 for the first of four",
        ) from None


def _pytest_shard_is_coming(pluginmanager: pytest.PytestPluginManager) -> bool:
    # The order in which installed plugins load is not defined. When pytest-shard loads after this
    # one, it is pytest-shard that would die of the clash, with a traceback.
    return (
        find_spec("pytest_shard") is not None
        and not pluginmanager.is_blocked("pytest-shard")
        and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    )
