"""Options that several verbs share, and the settings they make."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from withstand.client.proxy import NO_PROXY
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.settings import Settings, load_settings
from withstand.sharding import Shard, parse_shard

F = TypeVar("F", bound=Callable[..., Any])

_OVERRIDES: Final = "withstand.settings"  # in Click's context: key → the flag, its value
_SOURCE: Final = "withstand.source"
_TARGET: Final = "withstand.target"


def target_options(function: F) -> F:
    """Where the API is and who says so."""
    for option in reversed(
        (
            click.option(
                "--config",
                "config_file",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Configuration file. Default: the nearest withstand.toml, or pyproject.toml "
                "with [tool.withstand], from here up to the repository's root.",
            ),
            click.option(
                "-H",
                "--host",
                "--base-url",
                "base_url",
                metavar="URL",
                help="Where the API is served. Never taken from the document.",
            ),
            click.option(
                "--allow",
                multiple=True,
                metavar="HOST",
                help="A host beyond this machine that you own and may test. Repeatable.",
            ),
            click.option(
                "--insecure", is_flag=True, help="Accept any TLS certificate of the target."
            ),
            setting_option(
                "--cert",
                "target.cert",
                metavar="FILE",
                help="Client certificate to show to the target: a PEM file.",
            ),
            setting_option(
                "--key",
                "target.key",
                metavar="FILE",
                help="Its private key, where it is not in the same file.",
            ),
            setting_option(
                "--server-name",
                "target.server_name",
                metavar="NAME",
                help="Name for TLS in place of the host: in SNI, and in the certificate.",
            ),
            setting_option(
                "--connect-timeout",
                "target.connect_timeout",
                metavar="TIME",
                help="Longest wait for a connection: name, TCP, proxy and TLS. Default: "
                "connect_timeout under [target] in the configuration, or 5s.",
            ),
            setting_option(
                "--proxy",
                "target.proxy",
                metavar="URL",
                help="Go through this HTTP proxy. Default: what http_proxy, https_proxy, "
                "all_proxy and no_proxy say, except for this machine.",
            ),
            setting_option(
                "--no-proxy",
                "target.proxy",
                flag_value=NO_PROXY,
                help="Go straight to the target, whatever the environment says.",
            ),
        )
    ):
        function = option(function)
    return function


def setting_option(flag: str, key: str, **options: Any) -> Callable[[F], F]:
    """A flag that only overrides one key of the settings, so that no verb has to pass it on."""

    def note(context: click.Context, option: click.Parameter, value: str | None) -> None:
        if value is None:
            return
        said: dict[str, tuple[str, str]] = context.meta.setdefault(_OVERRIDES, {})
        other, _ = said.setdefault(key, (option.opts[0], value))
        if other != option.opts[0]:
            raise UsageError(
                f"{option.opts[0]} and {other} contradict each other",
                hint="give one of the two",
            )

    return click.option(flag, expose_value=False, callback=note, default=None, **options)


def shard_option(function: F) -> F:
    """`--shard K/N` of what is divided test by test."""
    return click.option(
        "--shard",
        metavar="K/N",
        callback=typed_shard,
        help="Run only this part of the tests: 2/4 in the second of four jobs. `withstand merge` "
        "makes one result of all parts.",
    )(function)


def typed_shard(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> Shard | None:
    """The shard that was typed, as Click's callbacks give it. Raises UsageError."""
    return None if text is None else parse_shard(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files that a verb was asked to write."""

    html: Path | None = None
    json_file: Path | None = None
    report_dir: Path | None = None


def settings_for(
    config_file: Path | None,
    base_url: str | None,
    *,
    openapi: str | None = None,
) -> Settings:
    """The settings of file, environment and flags. Raises ConfigurationError or UsageError."""
    said = click.get_current_context().meta.get(_OVERRIDES, {})
    overrides = {key: value for key, (_, value) in said.items()} | {
        key: value
        for key, value in (("target.base_url", base_url), ("target.openapi", openapi))
        if value is not None
    }
    settings = load_settings(config_file=config_file, overrides=overrides)
    click.get_current_context().meta[_SOURCE] = settings.source
    return settings


def target_for(settings: Settings, allow: tuple[str, ...], insecure: bool) -> Target:
    """The target that settings and flags name. Raises UsageError when it may not be tested."""
    target = settings.target(allow=allow)
    click.get_current_context().meta[_TARGET] = target.base_url
    return replace(target, verify=False) if insecure else target


def known_so_far() -> tuple[str | None, str]:
    """The file that the settings came from, and the target's address: None and empty before they
    are read.
    """
    meta = click.get_current_context().meta
    return meta.get(_SOURCE), meta.get(_TARGET, "")
