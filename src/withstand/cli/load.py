"""`withstand load`: requests at a rate, or by users, and verdicts on objectives."""

from typing import Any, Final

import click

from withstand.cli.history_file import (
    confirmed_by_rerun,
    failed_by_history,
    history_for,
    remembered,
)
from withstand.cli.load_engine import wants_locust
from withstand.cli.load_options import LoadOptions, load_options
from withstand.cli.load_plan import (
    load_plan,
    load_settings_of,
    load_target,
    require_consistent,
    run_load_plan,
)
from withstand.cli.locust_load import locust_command
from withstand.cli.mix import load_objectives
from withstand.cli.options import Outputs
from withstand.cli.output import publish
from withstand.cli.typed import typed_command
from withstand.errors import UsageError
from withstand.history.commit import current_commit
from withstand.history.runs import Kind
from withstand.workflows import Occasion

_DEFAULT_RUN_TIME_S: Final = 10.0


class LoadCommand(click.Command):
    """Hands a locustfile over to the command for those, whose options are Locust's."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of whichever command it is."""
        if wants_locust(args):
            return locust_command.make_context(info_name, args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("load", cls=LoadCommand)
@load_options(default_run_time=f"{_DEFAULT_RUN_TIME_S:g}s")
@click.option(
    "--confirm",
    is_flag=True,
    help="With a history: what is slower than it is run once more at once, and what is slower "
    "again fails the run. Without this a history fails nothing.",
)
def command(confirm: bool, **given: Any) -> int:
    """Put load on an API and judge it by objectives.

    URL is one address to GET. SCENARIO is a file of requests with weights, data and expectations
    (.toml, .json or .jsonl; see docs/scenario-files.md), or a SCRIPT.py of users written in Python
    (docs/user-scripts.md): --rate starts their iterations, -u repeats them. A locustfile is run by
    Locust, with all of its options (docs/locust.md). Without any of these the operations of the
    OpenAPI document are sent, each with a request that succeeded once before.

    Two clocks are kept: the response time runs from the moment a request should have started, so
    that a stalling server cannot hide behind late requests; the service time runs from the moment
    it was sent.

    \b
    Examples
      withstand load http://127.0.0.1:8000/health --rate 500 -t 10s --slo "p99<50ms"
      withstand load --rate 100/s -t 1m --slo "p95<200ms" --slo "errors<2%"
      withstand load --stages 30s:200/s,2m:200/s,10s:0/s --slo "p99<300ms"
      withstand load -u 50 -r 5 -t 60s --think-time 1s..3s -H http://127.0.0.1:8000
      withstand load shop.py -u 50 -t 5m -H http://127.0.0.1:8000 --slo "p95<200ms"
      withstand load -f locustfile.py -u 50 -r 5 -t 60s -H http://127.0.0.1:8000
      withstand load -o "GET /products=8" -o "POST /orders" --rate 100/s
      withstand load checkout.toml --rate 50/s -t 5m
      withstand load --rate 80000/s --shard 1/2 --start-at 14:30:00 --json 1.json
      withstand load --rate 100/s -t 30m --slo "p99<300ms over 10s" --abort-on-fail
      withstand load --rate 100/s -t 1m --history .withstand/history.sqlite --confirm
    """
    options = LoadOptions(**given)
    require_consistent(options)
    outputs = Outputs(html=options.html, json_file=options.json_file, report_dir=options.report_dir)
    settings = load_settings_of(options)
    history = history_for(settings, Kind.LOAD)
    if confirm and history is None:
        raise UsageError(
            "--confirm asks the history whether the run is slower, and there is none",
            hint="give --history FILE, or set file under [history] in withstand.toml",
        )
    target = load_target(options, settings)
    load = load_plan(options, settings, target, default_run_time_s=_DEFAULT_RUN_TIME_S)
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        commit=current_commit(),
        objectives=load_objectives(
            settings, options.slos, declaration=load.declaration, address=options.address
        ),
        fail_on=settings.policy().fail_on,
        strict=options.strict,
    )
    results = run_load_plan(options, settings, target, load, occasion)
    trends = remembered(results, history)
    if confirm and not results.interrupted:
        trends = confirmed_by_rerun(
            trends,
            lambda: remembered(run_load_plan(options, settings, target, load, occasion), history),
        )
    code = publish(results, outputs, trends)
    if confirm:
        code = failed_by_history(trends, code)
    return options.exit_code_on_slo if code == 1 else code
