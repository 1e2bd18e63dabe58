"""`withstand load` of a locustfile: Locust runs it, with Withstand's client and exact results."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from withstand.cli.history_file import history_for, history_option, remembered
from withstand.cli.options import Outputs, settings_for, target_for
from withstand.cli.output import publish
from withstand.cli.progress import ProgressLine
from withstand.cli.report_options import report_options
from withstand.cli.traffic import slo_option
from withstand.cli.typed import typed_command
from withstand.errors import RunVoid, UsageError
from withstand.history.runs import Kind
from withstand.load.measurement import LoadMeasurement
from withstand.load.progress import Progress
from withstand.results import Results
from withstand.settings import Settings
from withstand.settings.plans import objectives_for
from withstand.stats.histogram import Histogram, merged
from withstand.units import parse_duration_ns
from withstand.workflows.locust_child import News, Told, run_locust
from withstand.workflows.locust_results import locust_results

_ON_ERROR: Final = "--exit-code-on-error"
_WEB: Final = ("--headful", "--autostart", "--web-", "--class-picker", "--tls-cert")
_NO_TEST: Final = ("--list", "-l", "--show-task-ratio", "--show-task-ratio-json", "-V", "--version")
_TABLES: Final = ("--print-stats", "--only-summary")


@click.command(
    "load",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    epilog="Every other option is Locust's own: see `locust --help`.",
)
@click.option(
    "-f",
    "--file",
    "--locustfile",
    "file",
    metavar="LOCUSTFILE",
    help="The locustfile, as Locust takes it: files with commas between them, a folder, an "
    "address, or - for the master's.",
)
@click.option("-H", "--host", "--base-url", "host", metavar="URL", help="Where the API is served.")
@click.option(
    "--allow",
    multiple=True,
    metavar="HOST",
    help="A host beyond this machine that you own and may test. Repeatable.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Withstand's configuration file; one that ends in .conf is Locust's.",
)
@click.option("--engine", type=click.Choice(["locust", "withstand"]), default="locust", hidden=True)
@click.option(
    "--warm-up",
    metavar="TIME",
    help="How long at the start requests are recorded but not judged, such as 5s.",
)
@click.option(
    "--stagger",
    is_flag=True,
    help="Shift users of constant_pacing and constant_throughput against each other, so that those "
    "who begin together do not send together.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="At the end, say of each line that sends requests which client sent them, and why.",
)
@click.option(
    "--exit-code-on-slo",
    type=click.IntRange(1, 255),
    default=1,
    help="Exit code when an objective is breached (k6 uses 99). Default: 1.",
)
@slo_option('"p95<200ms", "errors<0.1%", "GET /users: p99<1s"')
@history_option
@report_options
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def locust_command(**given: Any) -> int:
    """Run a locustfile as it is, with Withstand's client under its users.

    Users, tasks, shapes, tags, web UI, master and workers are Locust's. The client is faster,
    results are exact, and objectives decide the exit code. Runs without the web UI, unless one of
    Locust's options for it is given, such as --headful.

    \b
    Examples
      withstand load -f locustfile.py -u 50 -r 5 -t 60s -H http://127.0.0.1:8000
      withstand load -f locustfile.py -u 500 --processes -1 -t 5m --slo "p95<200ms"
      withstand load -f locustfile.py --headful
      withstand load -f locustfile.py --master --expect-workers 2 -u 100 -t 5m
      withstand load -f - --worker --master-host 192.0.2.10
    """
    if given["engine"] == "withstand":
        raise UsageError(
            f"{given['file'] or 'this'} is a locustfile, and Withstand's own engine does not run "
            f"Locust's users",
            hint="leave --engine out, or declare its users with @user, see docs/user-scripts.md",
        )
    given["file"], rest = _file_and_rest(given["file"], list(given["rest"]))
    if any(each.partition("=")[0] == "--shard" for each in rest):
        raise UsageError(
            "--shard divides what Withstand's own engine sends, and the users of a locustfile are "
            "Locust's to divide",
            hint="start it with --master on one machine and with --worker on the others",
        )
    outputs = Outputs(
        html=given["html"], json_file=given["json_file"], report_dir=given["report_dir"]
    )
    config = given["config_file"]
    if config is not None and config.suffix == ".conf":
        rest += ["--config", str(config)]
        config = None
    settings = settings_for(config, given["host"])
    if given["host"] is not None:
        target_for(settings, given["allow"], insecure=False)  # refuses what nobody allowed
    history = history_for(settings, Kind.LOAD)
    objectives = objectives_for(settings, given["slos"])
    arguments = _arguments(given, rest, given["slos"] or _objective_texts(settings))
    worker = "--worker" in rest or bool(os.environ.get("LOCUST_MODE_WORKER"))
    headless = "--headless" in arguments
    with ProgressLine(quiet=given["quiet"]) as line:
        shown = _Shown(line)
        told = run_locust(
            arguments,
            relay=_relayed if headless and not worker else None,
            heard=shown.heard,
            tables=not headless or any(each in rest for each in _TABLES),
        )
    if worker or told.last is None:
        return _without_results(told, worker=worker, rest=rest)
    results = _results(told, given, objectives, settings.source)
    assert results.load is not None
    if not any(each.requests for each in results.load.operations.values()) and not told.interrupted:
        raise RunVoid(
            "no request was made, so that nothing was measured", hint="Locust's messages say why"
        )
    code = publish(results, outputs, remembered(results, history))
    if told.own_code and code == 0:
        return told.own_code  # what the locustfile says of itself stands
    if told.exit_code and code == 0 and any(each.startswith(_ON_ERROR) for each in rest):
        return told.exit_code  # asked for in so many words
    return int(given["exit_code_on_slo"]) if code == 1 else code


def _file_and_rest(file: str | None, rest: list[str]) -> tuple[str | None, list[str]]:
    """The locustfile may also stand without -f, as other files of a load do."""
    if file is None:
        for index, each in enumerate(rest):
            if each.endswith(".py") and (index == 0 or not rest[index - 1].startswith("-")):
                return each, rest[:index] + rest[index + 1 :]
    return file, rest


def _objective_texts(settings: Settings) -> Iterator[str]:
    for operation, texts in settings.objective_texts().items():
        for text in texts:
            yield f"{operation}: {text}"


def _arguments(given: dict[str, Any], rest: list[str], objectives: Iterable[str]) -> list[str]:
    """Locust's command line. How it records depends on the objectives."""
    arguments = list(rest)
    if given["file"] is not None:
        arguments += ["-f", given["file"]]
    if given["host"] is not None:
        arguments += ["-H", given["host"]]
    for text in objectives:
        arguments += ["--withstand-slo", text]
    if given["warm_up"] is not None:
        parse_duration_ns(given["warm_up"])
        arguments += ["--withstand-warm-up", given["warm_up"]]
    arguments += ["--withstand-stagger"] * given["stagger"]
    arguments += ["--withstand-explain"] * given["explain"]
    web = any(each.startswith(_WEB) for each in rest)
    if not web and "--headless" not in rest and "--worker" not in rest:
        arguments.append("--headless")
    return arguments


class _Shown:
    """Shows how far the test is."""

    def __init__(self, line: ProgressLine) -> None:
        self._line = line
        self._before: tuple[float, int] = (0.0, 0)

    def heard(self, news: News) -> None:
        elapsed_s = news.snapshot.duration_s
        then_s, then = self._before
        rate = (news.completed - then) / (elapsed_s - then_s) if elapsed_s > then_s else 0.0
        self._before = (elapsed_s, news.completed)
        recent = _recent(news.snapshot)
        self._line.load(
            Progress(
                elapsed_s=elapsed_s,
                duration_s=news.run_time_s or 0.0,
                completed=news.completed,
                errors=news.errors,
                rate_per_s=max(rate, 0.0),
                p50_ns=recent.quantile(0.5),
                p95_ns=recent.quantile(0.95),
                in_flight=news.snapshot.unanswered,
                users=news.users,
            )
        )


def _recent(snapshot: LoadMeasurement) -> Histogram:
    return merged(
        window.response_time for each in snapshot.operations.values() for window in each.windows
    )


def _relayed(stream: str, data: bytes) -> None:
    out = sys.stdout if stream == "stdout" else sys.stderr
    out.write(data.decode(errors="replace"))
    out.flush()


def _without_results(told: Told, *, worker: bool, rest: list[str]) -> int:
    """What a Locust that measured nothing here comes to."""
    code = told.exit_code
    if told.interrupted and not worker:
        return 130
    if worker or any(each in rest for each in _NO_TEST):
        return 0 if code is None else code
    if code:  # it has said why
        return 2
    raise RunVoid(
        "Locust ended before a test began",
        hint="its own messages above say why",
    )


def _results(told: Told, given: dict[str, Any], objectives: Any, config: str | None) -> Results:
    measured = told.journal.measurement()
    assert told.last is not None
    assert measured is not None
    wanted_s = told.last.run_time_s
    # Without a run time Ctrl-C is how such a test ends.
    cut_short = wanted_s is not None and told.interrupted and measured.duration_s < wanted_s - 1.0
    warm_up = given["warm_up"]
    if not told.is_whole:
        how = "was killed" if told.exit_code is None else f"ended with exit code {told.exit_code}"
        lost = f"Locust {how} {measured.duration_s:.0f} s after the start"
        generator = replace(measured.generator, lost=measured.generator.lost or lost)
        measured = replace(measured, generator=generator)
    return locust_results(
        measured,
        objectives=objectives,
        command=typed_command(),
        base_url=told.last.host or given["host"] or "",
        run_time_s=None if cut_short else wanted_s,
        warm_up_s=None if warm_up is None else parse_duration_ns(warm_up) / 1e9,
        strict=given["strict"],
        interrupted=cut_short,
        config=config,
    )
