"""`withstand soak`: hours of load, and verdicts on what ought not to drift."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from withstand.cli.checkpoint_file import CheckpointFile
from withstand.cli.history_file import history_for, remembered
from withstand.cli.load_options import LoadOptions, load_options
from withstand.cli.load_plan import (
    load_plan,
    load_settings_of,
    load_target,
    require_consistent,
    run_load_plan,
)
from withstand.cli.mix import load_objectives
from withstand.cli.options import Outputs
from withstand.cli.output import publish
from withstand.cli.typed import typed_command
from withstand.errors import UsageError
from withstand.history.runs import Kind
from withstand.load.probe.sample import sample_interval_s
from withstand.slo import SoakRules
from withstand.units import format_bytes, parse_duration_ns, parse_size_bytes
from withstand.workflows import Occasion

_DEFAULT_RUN_TIME_S: Final = 3_600.0
_RULES: Final = SoakRules()
_CHECKPOINT_NAME: Final = "checkpoint.jsonl"


@click.command("soak")
@load_options(default_run_time="1h")
@click.option(
    "--memory-tolerance",
    metavar="SIZE",
    help="How much the server's memory may grow over the run. Default: "
    f"{format_bytes(_RULES.memory_tolerance_bytes)}, or {_RULES.memory_tolerance_share:.0%} of "
    "what it uses if that is more.",
)
@click.option(
    "--window",
    metavar="TIME",
    help="The shortest stretch whose least memory counts. It has to be longer than the cycle of "
    "the server's garbage collector, and a run of less than 45 of them is a short one. Default: "
    f"{_RULES.window_s:g}s.",
)
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep what was measured so far in this file, about every minute, so that a crash loses "
    "no more; `withstand report FILE` shows it. Default: "
    f"{_CHECKPOINT_NAME} in the --report-dir, if there is one.",
)
def command(
    memory_tolerance: str | None,
    window: str | None,
    checkpoint_file: Path | None,
    **given: Any,
) -> int:
    """Put load on an API for long and say what drifts: memory, descriptors, threads, latency,
    errors.

    The options are those of `withstand load`. The server is watched through --pid, --metrics or
    --probe-command. The first third of the run is taken for the warm-up. What grows is called a
    leak only when it surely grows by more than is tolerated and goes on as it began; a server that
    still warms up is not one, and the report says for how long to run to be sure. A leak is seldom
    seen in less than half an hour.

    \b
    Examples
      withstand soak -H http://127.0.0.1:8000 --rate 50/s -t 2h --pid 4711 --report-dir soak
      withstand soak --rate 50/s -t 8h --metrics http://127.0.0.1:8000/metrics --slo "errors<1%"
      withstand report soak/checkpoint.jsonl
    """
    options = LoadOptions(**given)
    require_consistent(options)
    outputs = Outputs(html=options.html, json_file=options.json_file, report_dir=options.report_dir)
    if checkpoint_file is None and options.report_dir is not None:
        checkpoint_file = options.report_dir / _CHECKPOINT_NAME
    rules = _rules(memory_tolerance, window)
    settings = load_settings_of(options)
    history = history_for(settings, Kind.SOAK)
    target = load_target(options, settings)
    load = load_plan(options, settings, target, default_run_time_s=_DEFAULT_RUN_TIME_S)
    load = replace(
        load,
        probe_every_s=sample_interval_s(load.profile.duration_s, window_s=rules.window_s),
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        objectives=load_objectives(
            settings, options.slos, declaration=load.declaration, address=options.address
        ),
        soak=rules,
        fail_on=settings.policy().fail_on,
        strict=options.strict,
    )
    if checkpoint_file is None:
        results = run_load_plan(options, settings, target, load, occasion)
    else:
        with CheckpointFile(checkpoint_file) as checkpoint:
            results = run_load_plan(
                options, settings, target, load, occasion, checkpoint=checkpoint.note
            )
            checkpoint.end(results)
        if checkpoint.trouble is not None:
            click.echo(f"Warning: {checkpoint.trouble}", err=True)
    code = publish(results, outputs, remembered(results, history))
    return options.exit_code_on_slo if code == 1 else code


def _rules(memory_tolerance: str | None, window: str | None) -> SoakRules:
    rules = _RULES
    if memory_tolerance is not None:
        size_bytes = parse_size_bytes(memory_tolerance)
        if size_bytes == 0:
            raise UsageError("--memory-tolerance 0 would take noise for a leak", hint="such as 8MB")
        # What the user names is meant: no share of the level makes it larger.
        rules = replace(rules, memory_tolerance_bytes=size_bytes, memory_tolerance_share=0.0)
    if window is not None:
        window_s = parse_duration_ns(window) / 1e9
        if window_s <= 0:
            raise UsageError(f"--window {window} holds no time", hint="such as 40s")
        rules = replace(rules, window_s=window_s)
    return rules
