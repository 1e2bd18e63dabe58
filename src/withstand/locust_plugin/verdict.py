"""The end of a test under Locust's own command: report, files, exit code."""

import sys

from rich.console import Console

from withstand.errors import WithstandError
from withstand.load.measurement import LoadMeasurement
from withstand.locust_plugin.intent import Intent
from withstand.report.html import render_html
from withstand.report.terminal import render
from withstand.results_file import write_results
from withstand.workflows.locust_results import locust_results


def publish(
    measured: LoadMeasurement, intent: Intent, *, host: str | None, stdout_is_taken: bool
) -> int:
    """Write what was asked for, and say how it went; the exit code of that.

    `stdout_is_taken` where Locust prints its statistics there for another program.
    """
    try:
        results = locust_results(
            measured,
            objectives=intent.objectives,
            command="locust",
            base_url=host or "",
            run_time_s=intent.run_time_s,
            warm_up_s=intent.warm_up_s,
            strict=intent.strict,
        )
        if intent.json_file is not None:
            write_results(intent.json_file, results)
        if intent.html is not None:
            intent.html.parent.mkdir(parents=True, exist_ok=True)
            intent.html.write_text(render_html(results), encoding="utf-8")
    except (WithstandError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code if isinstance(error, WithstandError) else 2
    render(results, Console(file=sys.stderr if stdout_is_taken else sys.stdout))
    return results.exit_code()
