"""`withstand merge`: what the shards of a run found, as one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from withstand.cli.options import Outputs
from withstand.cli.output import publish, require_writable, to_be_written, writing
from withstand.cli.scan_files import asked_files, scan_file_options
from withstand.cli.shard_files import find_shard_files
from withstand.errors import UsageError
from withstand.history.durations import note_durations
from withstand.results import Results, merge_shards, with_expected


@click.command("merge")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the merged results, for `withstand report` and further merges.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as one self-contained HTML file.",
)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.html and results.json into a directory; of a scan also results.sarif, and "
    "junit.xml of the JUnit files that the shards wrote.",
)
@click.option(
    "--durations",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Note in a file of durations how long tests took, for the next cut of the suite.",
)
@click.option(
    "--expect",
    type=click.Choice(["pytest", "check", "load"]),
    multiple=True,
    help="Void the run when no shard left anything of this command (check: also of scan and "
    "access). Repeatable.",
)
@scan_file_options
def command(
    results: tuple[Path, ...],
    output: Path | None,
    html: Path | None,
    report_dir: Path | None,
    durations: Path | None,
    expect: tuple[str, ...],
) -> int:
    """Make one result of the RESULTS of a run's shards, and judge it.

    RESULTS are the files and directories that the shards wrote: withstand with --json or
    --report-dir, pytest with --withstand-report-dir and --junitxml. The merge is exact: counts and
    histograms add up, percentiles and verdicts are computed anew from the sums. Shards of
    different runs are refused, and so is one that is there twice. Without all of them, or when a
    collected test has no result, the run is void (exit code 3), unless a test has failed or a
    breach is proven all the same.

    \b
    Examples
      withstand merge 1.json 2.json -o whole.json --html whole.html
      withstand merge shard-*/ --report-dir report
      withstand merge shard-*/ --report-dir report --expect pytest --expect check
    """
    outputs = Outputs(json_file=output, html=html, report_dir=report_dir)
    require_writable(outputs)
    own = to_be_written(outputs)  # what they hold is of an earlier merge
    if report_dir is not None:
        own = (*own, report_dir / "junit.xml")
    files = find_shard_files(results, leave_out=own)
    if report_dir is not None and files.junit:
        _require_apart(asked_files().get("junit"), report_dir / "junit.xml")
    whole = with_expected(_whole(files.results, files.read()), expect)
    if files.empty:
        refusal = files.refusal()
        if whole.exit_code() == 0:
            raise refusal  # nothing else tells that something is missing
        click.echo(str(refusal), err=True)
    if report_dir is not None and files.junit:
        _merge_junit(files.junit, report_dir / "junit.xml")
    code = publish(whole, outputs)
    if durations is not None:  # last, because a file that is in the way must not cost the report
        _note(durations, whole)
    return code


def _note(durations: Path, whole: Results) -> None:
    if whole.suite is None:
        raise UsageError(
            f"no durations are noted in {durations}: there are no results of a suite",
            hint="name what pytest wrote with --withstand-report-dir, or leave --durations out",
        )
    note_durations(durations, whole.suite, day=datetime.now(UTC).date())


def _whole(files: Sequence[Path], parts: list[Results]) -> Results:
    try:
        whole = merge_shards(parts)
    except UsageError as error:
        earlier = [
            str(file) for file, each in zip(files, parts, strict=True) if each.holds_several_shards
        ]
        if not earlier:
            raise
        raise UsageError(
            error.message,
            hint=f"{', '.join(earlier)} {'is' if len(earlier) == 1 else 'are'} of an earlier "
            "merge: name only what the shards wrote, or the earlier merge and the shards that are "
            "not in it",
        ) from None
    if len(parts) > 1:
        return whole
    if whole.suite is not None:
        if not whole.suite.missing:
            return whole
        missing = ", ".join(map(str, whole.suite.missing))
        are = "is" if len(whole.suite.missing) == 1 else "are"
        raise UsageError(
            f"{files[0]} has shard {whole.suite.parts[0].shard} alone, and {missing} {are} missing",
            hint="name the results of every shard, or show this one with `withstand report`",
        )
    raise UsageError(
        f"{files[0]} alone is nothing to merge",
        hint="name the results of every shard, or show this one with `withstand report`",
    )


def _require_apart(checks: Path | None, tests: Path) -> None:
    if checks is not None and checks.resolve() == tests.resolve():
        raise UsageError(
            f"--junit {checks} is where the JUnit files of the shards are merged to",
            hint=f"name another file for checks and objectives, such as {tests.parent}/checks.xml",
        )


def _merge_junit(files: Sequence[Path], to: Path) -> None:
    from junitparser import JUnitXml, JUnitXmlError

    merged = JUnitXml()
    # A file that is named twice, by itself and with its directory, counts once.
    for file in {each.resolve(): each for each in files}.values():
        try:
            merged += JUnitXml.fromfile(str(file))
        # A run that was killed writes half of it; the last is an encoding that nobody knows.
        except (JUnitXmlError, SyntaxError, LookupError) as error:
            click.echo(f"left {file} out of the JUnit file: {error}", err=True)
    with writing(to):
        merged.write(str(to))
    click.echo(f"wrote {to}", err=True)
