"""`withstand replay`: one finding again."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from withstand.cli.options import settings_for, target_for, target_options
from withstand.cli.progress import ProgressLine
from withstand.cli.typed import typed_command
from withstand.errors import RunVoid, UsageError
from withstand.openapi.operation import Api
from withstand.report.finding_text import finding_text
from withstand.report.wording import printable
from withstand.results import Results
from withstand.results_file import read_results
from withstand.scan.catalogue import all_checks, check_named
from withstand.scan.check import Per
from withstand.scan.records.replay import (
    Answer,
    Place,
    Replayed,
    answered,
    place_named,
    places_of_baseline,
    places_of_record,
    places_of_tests,
    same_tests,
)
from withstand.settings import Settings
from withstand.settings.plans import api_for, scan_plan
from withstand.workflows import Occasion, read_baseline_file, run_scan

_USUAL_RESULTS: Final = Path("withstand-report/results.json")
_EXIT_CODE: Final = {Answer.STILL_THERE: 1, Answer.GONE: 0, Answer.UNKNOWN: 3}


@click.command("replay")
@click.argument("fingerprint")
@click.argument("results", required=False, type=click.Path(path_type=Path, dir_okay=False))
@target_options
@click.option(
    "--profile",
    type=click.Choice(["readonly", "ci", "abuse"]),
    help="How far to go, as for `withstand scan`.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    fingerprint: str,
    results: Path | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    profile: str | None,
    quiet: bool,
) -> int:
    """Run the one test again that a finding came from, and say whether it is still there.

    FINGERPRINT is that of the finding, or its beginning. RESULTS is the file that --json or
    --report-dir wrote. Without it the finding is looked for in withstand-report/results.json, in
    the baseline file, and among the tests of this API.

    The identities log in as for a scan, the operations are called once to have requests that work,
    and then only this check is run, on this operation. Exit code 1: still there; 0: gone; 3: it
    cannot be told.

    \b
    Examples
      withstand replay 265f05b5da9b2a30
      withstand replay 265f out/results.json
    """
    settings = settings_for(config_file, base_url)
    target = target_for(settings, allow, insecure)
    api = api_for(settings, target)
    place = _place(fingerprint, settings, api, results)
    check = check_named(place.check)
    wanted = same_tests(place, check, api)
    if not wanted:
        return _said(
            place,
            Replayed(answer=Answer.GONE, reason=f"{api.source} has no such operation any more"),
        )
    whole = scan_plan(settings, target, api, checks=all_checks(), profile=profile)
    plan = replace(whole, checks=(check,), only=wanted)
    occasion = Occasion(command=typed_command(), config=settings.source)
    try:
        with ProgressLine(quiet=quiet) as progress:
            again = run_scan(plan, occasion, observer=progress.scan)
            if check.per is Per.API and _answer(place, again) is Answer.GONE:
                # It may have been in an answer that only other checks provoke.
                progress.say("Not seen by the check alone: the whole scan is run to be sure …")
                again = run_scan(whole, occasion, observer=progress.scan)
    except RunVoid as error:
        return _said(place, Replayed(answer=Answer.UNKNOWN, reason=" ".join(str(error).split())))
    assert again.scan is not None, "a scan was asked for"
    code = _said(place, answered(place, again.scan))
    return 130 if again.interrupted else code


def _place(fingerprint: str, settings: Settings, api: Api, results: Path | None) -> Place:
    """The test that the fingerprint names. The first source that knows it wins."""
    if results is not None:
        return place_named(fingerprint, _in_results(results), searched=str(results))
    sources: dict[str, list[Place]] = {}
    if _USUAL_RESULTS.is_file():
        sources[str(_USUAL_RESULTS)] = list(_in_results(_USUAL_RESULTS))
    file = settings.baseline_file
    if file is not None and file.is_file():
        baseline = read_baseline_file(file)
        sources[baseline.file] = list(places_of_baseline(baseline.known))
    sources["the tests of this API"] = list(places_of_tests(all_checks(), api))
    told = [
        places
        for places in sources.values()
        if any(place.fingerprint.startswith(fingerprint.lower()) for place in places)
    ]
    return place_named(fingerprint, told[0] if told else (), searched=", ".join(sources))


def _answer(place: Place, again: Results) -> Answer:
    assert again.scan is not None, "a scan was asked for"
    return answered(place, again.scan).answer


def _in_results(file: Path) -> Iterator[Place]:
    scan = read_results(file).scan
    if scan is None:
        raise UsageError(
            f"{file} has no scan, so there is no finding in it",
            hint="give the results of withstand scan or withstand check",
        )
    yield from places_of_record(scan)


def _said(place: Place, replayed: Replayed) -> int:
    """Prints the answer; returns the exit code that it stands for."""
    console = Console(file=sys.stdout, highlight=False)
    where = place.operation or "the whole API"
    head = f"{replayed.answer}: {place.check} on {where} ({place.fingerprint}): {replayed.reason}"
    console.print(printable(head), markup=False, soft_wrap=True)
    if replayed.finding is not None:
        console.print()
        console.print(printable(finding_text(replayed.finding)), markup=False, soft_wrap=True)
    return _EXIT_CODE[replayed.answer]
