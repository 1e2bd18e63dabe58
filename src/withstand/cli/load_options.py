"""The options that all verbs share that put load on an API."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from withstand.cli.distribution import distribution_options
from withstand.cli.history_file import history_option
from withstand.cli.mix import scenario_file
from withstand.cli.options import setting_option, target_options
from withstand.cli.report_options import report_options
from withstand.cli.traffic import slo_option, traffic_options
from withstand.sharding import Shard

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_RATE_PER_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What was typed, as click hands it over."""

    url: str | None
    file: Path | None
    config_file: Path | None
    base_url: str | None
    allow: tuple[str, ...]
    insecure: bool
    openapi: str | None
    operations: tuple[str, ...]
    rate: str | None
    poisson: bool
    users: int | None
    spawn_rate: float | None
    stages: str | None
    think_time: str | None
    pacing: str | None
    run_time: str | None
    slos: tuple[str, ...]
    warm_up: str | None
    abort_on_fail: bool
    abort_delay: str | None
    connections: int | None
    timeout: str | None
    pid: int | None
    metrics: str | None
    metric_names: tuple[str, ...]
    probe_command: str | None
    processes: int | None
    shard: Shard | None
    start_at: str | None
    exit_code_on_slo: int
    html: Path | None
    json_file: Path | None
    report_dir: Path | None
    strict: bool
    quiet: bool

    @property
    def script(self) -> Path | None:
        """The user script: what -f names, or an argument that ends in .py and is no address."""
        if self.file is not None or self.url is None:
            return self.file
        is_script = "://" not in self.url and self.url.lower().endswith(".py")
        return Path(self.url) if is_script else None

    @property
    def scenario(self) -> Path | None:
        """The scenario file: an argument that ends in .toml, .json or .jsonl and is no address."""
        return None if self.script is not None else scenario_file(self.url)

    @property
    def address(self) -> str | None:
        """The one address to load."""
        return self.url if self.script is None and self.scenario is None else None


def load_options(default_run_time: str) -> Callable[[F], F]:
    """Where the load goes, its shape, what it is held against, and what is written."""

    def add(function: F) -> F:
        function = report_options(function)
        for option in reversed(
            (
                *_scenario(),
                *_shape(default_run_time),
                *_judging(),
                *_probes(),
                *distribution_options(),
            )
        ):
            function = option(function)
        function = target_options(traffic_options(history_option(function)))
        return click.argument("url", metavar="[URL | SCENARIO]", required=False)(function)

    return add


def _scenario() -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            "-f",
            "--file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="SCRIPT",
            help="The user script, where its name does not end in .py.",
        ),
        setting_option(
            "--follow-redirects",
            "load.follow_redirects",
            flag_value="true",
            help="Follow redirects on the target: one request, whose times span all hops.",
        ),
    )


def _shape(default_run_time: str) -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            "--rate",
            metavar="RATE",
            help="Open model: requests start at this rate, such as 200/s, whatever the server "
            f"does. Default: {DEFAULT_RATE_PER_S:g}/s.",
        ),
        click.option(
            "--poisson",
            is_flag=True,
            help="With --rate or stages of rates: random (Poisson) arrivals, as of visitors who "
            "know nothing of each other, instead of paced ones.",
        ),
        click.option(
            "-u",
            "--users",
            type=click.IntRange(min=1),
            help="Closed model: this many users, each waiting for its answer before it asks again; "
            "of a user script, each repeating its iteration.",
        ),
        click.option(
            "-r",
            "--spawn-rate",
            type=click.FloatRange(min=0, min_open=True),
            metavar="N",
            help="Users started per second. Default: all at once.",
        ),
        click.option(
            "--stages",
            metavar="STAGES",
            help="A load that changes: durations, each with the level reached at its end in a "
            'straight line. "30s:200/s,1m:200/s,10s:0/s" ramps a rate up, holds it and ramps it '
            'down; "30s:50u,5m:50u,30s:0u" does so with users, where one who leaves finishes its '
            'request. A level alone jumps there: "100/s,1m:100/s,1000/s,10s:1000/s,100/s,1m:100/s" '
            "is a spike. The first level is 0 unless it is given. In place of --rate, -u and -t.",
        ),
        click.option(
            "--think-time",
            metavar="TIME",
            help="With users: how long one waits between an answer and its next request (of a user "
            "script: between two iterations): 1s, or 1s..3s for a time drawn evenly between the "
            "two. A crowd that begins together begins spread over the first think time. Default: "
            "not at all.",
        ),
        click.option(
            "--pacing",
            metavar="TIME",
            help="With users: each begins an iteration every TIME, such as 2s, with the users "
            "spread evenly over that time. One that is due while its user still waits for an "
            "answer begins right after it, with its clock running since it was due.",
        ),
        click.option(
            "-t",
            "--run-time",
            metavar="TIME",
            help=f"How long, such as 30s, 5m or 8h. Default: {default_run_time}.",
        ),
        setting_option(
            "--no-keep-alive",
            "load.keep_alive",
            flag_value="false",
            help="Open a new connection for each request; opening it is part of the response time.",
        ),
    )


def _judging() -> tuple[Callable[[F], F], ...]:
    return (
        slo_option(
            '"p95<200ms", "errors<0.1%", "rps>100", "memory_growth<32MB", over every ten seconds '
            '"p99<300ms over 10s"'
        ),
        click.option(
            "--warm-up",
            metavar="TIME",
            help="How long at the start requests are recorded but not judged, such as 5s; 0s "
            "judges everything. Default: warm_up under [load] in the configuration, or the first "
            "second of a run of more than ten (the first window of one of more than ten minutes).",
        ),
        click.option(
            "--abort-on-fail",
            is_flag=True,
            help="End the run as soon as an objective is breached beyond doubt, and keep the "
            "results.",
        ),
        click.option(
            "--abort-delay",
            metavar="TIME",
            help="With --abort-on-fail: let the run last so long at least. Default: the warm-up.",
        ),
        click.option(
            "--exit-code-on-slo",
            type=click.IntRange(1, 255),
            default=1,
            help="Exit code when an objective is breached (k6 uses 99). Default: 1.",
        ),
    )


def _probes() -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            "--pid",
            type=click.IntRange(min=1),
            help="The server's process on this machine: the memory, descriptors and threads of it "
            "and its children are watched.",
        ),
        click.option(
            "--metrics",
            metavar="URL",
            help="Watch the server through its Prometheus endpoint instead, such as "
            "http://127.0.0.1:8000/metrics.",
        ),
        click.option(
            "--metric",
            "metric_names",
            multiple=True,
            metavar="WHAT=NAME",
            help="With --metrics: the metric to read for memory (in bytes), descriptors, threads, "
            "cpu (in seconds) or start (in Unix seconds), such as memory=my_heap_bytes. "
            "Repeatable. Default: those of the official client libraries.",
        ),
        click.option(
            "--probe-command",
            metavar="COMMAND",
            help="Watch the server through a command instead. The last line that it prints is the "
            "memory, in bytes or as 123.4MiB, or JSON: docker stats --no-stream --format "
            '"{{json .}}" NAME.',
        ),
    )
