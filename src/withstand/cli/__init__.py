"""The command line: arguments in, exit code out. One file a verb."""

import os
import signal
import sys
import traceback
from importlib import import_module

import click

from withstand import __version__
from withstand.errors import WithstandError

_VERBS = {
    "demo": "withstand.cli.demo",
    "init": "withstand.cli.init",
    "check": "withstand.cli.check",
    "scan": "withstand.cli.scan",
    "access": "withstand.cli.access",
    "doctor": "withstand.cli.doctor",
    "load": "withstand.cli.load",
    "soak": "withstand.cli.soak",
    "stress": "withstand.cli.stress",
    "compare": "withstand.cli.compare",
    "selftest": "withstand.cli.selftest",
    "report": "withstand.cli.report",
    "merge": "withstand.cli.merge",
    "history": "withstand.cli.history",
    "checks": "withstand.cli.checks",
    "explain": "withstand.cli.explain",
    "replay": "withstand.cli.replay",
}


class _Verbs(click.Group):
    """Imports a verb only when it is used, so that `--help` and completion stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(_VERBS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - Click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command = import_module(_VERBS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="withstand %(version)s")
def cli() -> None:
    """Tells whether an HTTP API withstands load and attack.

    Start with `withstand demo`: it runs everything against a bundled API and writes a report. For
    your own API, `withstand scan openapi.json --base-url http://127.0.0.1:8000` needs nothing
    else; roles, objectives and budgets go into withstand.toml.

    \b
    Exit codes
      0    nothing bad is proven: all held, or some could not be decided
      1    an objective was breached or a finding stands
      2    the command line, the configuration or the document is wrong
      3    the run is void: the target is unreachable, an identity broke,
           or the load generator was the bottleneck; with --strict also
           when something could not be decided
      4    an error of Withstand's own
      130  interrupted; what was learned until then is kept
    """


def main() -> None:
    """The `withstand` program. Where no journey listens, SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; prints errors to stderr."""
    try:
        outcome = cli.main(args=arguments, prog_name="withstand", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except WithstandError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output went away: `withstand checks | head`
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - keeps the exit quiet
        return 0
    except Exception as error:
        return _own_error(error)
    return outcome if isinstance(outcome, int) else 0


def _own_error(error: Exception) -> int:
    if os.environ.get("WITHSTAND_DEBUG"):
        traceback.print_exc()
    else:
        click.echo(
            f"Error: withstand itself failed: {type(error).__name__}: {error}\n"
            "  → run again with WITHSTAND_DEBUG=1 and report the traceback",
            err=True,
        )
    return 4
