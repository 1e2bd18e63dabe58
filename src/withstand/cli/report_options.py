"""Options for what to write besides the terminal report, which also a run leaves that came to
nothing: a file that is not there looks as if nobody had wanted a run, and one of an earlier run as
if this had come to its end. A process that is killed writes nothing more, so the results file says
from the beginning that the run left nothing, and is replaced at its end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from withstand import __version__
from withstand.cli.options import Outputs, known_so_far
from withstand.cli.output import begin, is_published, publish, require_writable
from withstand.cli.typed import typed_command
from withstand.errors import UsageError, WithstandError
from withstand.history.commit import current_commit
from withstand.results import Results, VoidRun
from withstand.sharding import Shard

_CUT_OFF: Final = "it began and left no results, as when it is killed or the disk is full"

F = TypeVar("F", bound=Callable[..., Any])


def report_options(function: F) -> F:
    """What to write besides the terminal report. Before the run it is made sure that it can be;
    where an error ends the run before it has results, what is written is the error.
    """

    @wraps(function)
    def run(**given: Any) -> Any:
        outputs = Outputs(
            html=given["html"], json_file=given["json_file"], report_dir=given["report_dir"]
        )
        require_writable(outputs)
        if "shard" in given:  # what can be merged, where a file of an earlier run would deceive
            begin(outputs, _void(_CUT_OFF, given["shard"], time.time()))
        with _void_kept(outputs, given.get("shard")):
            return function(**given)

    for option in reversed(
        (
            click.option(
                "--html",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Write the report as one self-contained HTML file.",
            ),
            click.option(
                "--json",
                "json_file",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Write the results, for `withstand report` and other programs.",
            ),
            click.option(
                "--report-dir",
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                help="Write report.html and results.json into a directory; of a scan also "
                "results.sarif.",
            ),
            click.option(
                "--strict",
                is_flag=True,
                help="Exit 3 when something could not be decided, instead of 0.",
            ),
            click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
        )
    ):
        run = option(run)
    return cast("F", run)


@contextmanager
def _void_kept(outputs: Outputs, shard: Shard | None) -> Iterator[None]:
    started_at = time.time()
    try:
        yield
    except click.exceptions.Exit:
        raise
    except (Exception, KeyboardInterrupt) as error:
        if not is_published():
            results = _void(_reason(error), shard, started_at)
            results = replace(results, interrupted=isinstance(error, KeyboardInterrupt))
            with suppress(UsageError):  # the error that ended the run is the one to be told
                publish(results, outputs, draw=lambda *_: None)
        raise


def _reason(error: BaseException) -> str:
    match error:
        case KeyboardInterrupt():
            return "it was interrupted before anything was tested"
        case WithstandError():
            return " ".join(error.message.split())
        case _:
            return f"withstand itself failed: {type(error).__name__}: {error}"


def _void(reason: str, shard: Shard | None, started_at: float) -> Results:
    config, base_url = known_so_far()
    verb = click.get_current_context().info_name or ""
    return Results(
        started_at=started_at,
        duration_s=time.time() - started_at,
        version=__version__,
        command=typed_command(),
        base_url=base_url,
        config=config,
        commit=current_commit(),
        void_runs=(VoidRun(verb=verb, reason=reason, shard=shard),),
    )
