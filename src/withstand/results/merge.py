"""How the Results of several shards become those of one run, exactly. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeVar

from withstand.errors import UsageError
from withstand.load.generator import with_lagging
from withstand.load.merge import merge_measurements
from withstand.load.shards import lined_up
from withstand.results.results import Results
from withstand.results.void_run import PYTEST, VoidRun
from withstand.scan.records.known import without_untested
from withstand.scan.records.merge import merge_records
from withstand.sharding import joined
from withstand.sharding.suite import merge_suites
from withstand.slo.trial_record import merge_trials, same_requests


def merge(first: Results, second: Results) -> Results:
    """One Results of two shards, exactly: histograms and counts add, findings unite.

    Merging is associative, so any number of shards gives the same whole in any grouping. Shards
    run side by side, so the whole lasts as long as the longest. Raises UsageError for runs against
    different targets, of different commits or kinds.
    """
    _refuse_different("targets", first.base_url, second.base_url)
    _refuse_different("kinds", _kind(first), _kind(second))
    if first.stress is not None:
        raise UsageError(
            "two searches for the sustainable rate cannot be merged: each chose its rates by "
            "what it had seen itself",
            hint="read each on its own",
        )
    _refuse_other_commit(first, second)
    return Results(
        started_at=min(first.started_at, second.started_at),
        duration_s=max(first.duration_s, second.duration_s),
        version=_both(first.version, second.version, ", "),
        command=_both(first.command, second.command, "\n"),
        base_url=first.base_url,
        api_title=first.api_title or second.api_title,
        api_version=first.api_version or second.api_version,
        config=first.config or second.config,
        commit=first.commit or second.commit,
        scan=merge_records(first.scan, second.scan) if first.scan and second.scan else None,
        load=merge_measurements(first.load, second.load) if first.load and second.load else None,
        trials=merge_trials(first.trials, second.trials)
        if first.trials and second.trials
        else None,
        suite=merge_suites(first.suite, second.suite) if first.suite and second.suite else None,
        objectives=_union(first.objectives, second.objectives),
        soak=first.soak or second.soak,
        fail_on=min(first.fail_on, second.fail_on, key=lambda severity: severity.rank),
        strict=first.strict or second.strict,
        interrupted=first.interrupted or second.interrupted,
    )


def merge_shards(shards: Sequence[Results]) -> Results:
    """One Results of all the parts of a run, of which there is at least one.

    Windows of load are lined up by the clock first. Shards of one kind may be beside those of
    another: each kind is merged by itself. Raises UsageError for what are no shards of one run.
    """
    kinds = [
        [piece for each in shards if (piece := part(each))]
        for part in (_scan_of, _load_of, _suite_of)
    ]
    void = [piece for each in shards if (piece := _void_of(each))]
    whole = reduce(_beside, [*(_merge_kind(pieces) for pieces in kinds if pieces), *void])
    _refuse_foreign_void(whole)
    return whole


def with_expected(whole: Results, verbs: Iterable[str]) -> Results:
    """These, in which each of the verbs `pytest`, `check` and `load` came to nothing where no shard
    left anything of its kind: a command that never began tells nobody.
    """
    there = {
        PYTEST: whole.suite is not None,
        "check": bool(whole.scan or whole.trials),
        "load": whole.load is not None,
    }
    for each in whole.void_runs:
        there["load" if each.of_load else "check"] = True
    lacking = (
        VoidRun(verb=verb, reason="no shard left anything of it")
        for verb in dict.fromkeys(verbs)
        if not there[verb]
    )
    return replace(whole, void_runs=(*whole.void_runs, *lacking))


def _merge_kind(shards: Sequence[Results]) -> Results:
    measured = [each.load for each in shards if each.load is not None]
    if len(measured) > 1 and not all(load.shards for load in measured):
        raise UsageError(
            "a whole load is no shard, and two of them are not one run",
            hint="run each machine with --shard, such as --shard 1/2 and --shard 2/2",
        )
    if shared := same_requests([each.trials for each in shards if each.trials is not None]):
        raise UsageError(
            f"the same requests of {shared} are there twice",
            hint="give the results of each shard once",
        )
    loads = iter(lined_up(measured))
    whole = reduce(
        merge, [each if each.load is None else replace(each, load=next(loads)) for each in shards]
    )
    # Whether their lateness matters, and what is gone, are questions to all of them together.
    return replace(
        whole,
        load=whole.load and with_lagging(whole.load),
        scan=whole.scan and without_untested(whole.scan),
    )


def _scan_of(results: Results) -> Results | None:
    """The scan and the trials of results in which an earlier merge may have put more beside."""
    if results.scan is None and results.trials is None and _kind(results) != "nothing":
        return None
    return replace(results, load=None, stress=None, suite=None, void_runs=())


def _load_of(results: Results) -> Results | None:
    if results.load is None and results.stress is None:
        return None
    return replace(results, scan=None, trials=None, suite=None, void_runs=())


def _suite_of(results: Results) -> Results | None:
    if results.suite is None:
        return None
    return replace(
        results, scan=None, trials=None, load=None, stress=None, void_runs=(), base_url=""
    )


def _void_of(results: Results) -> Results | None:
    if not results.void_runs:
        return None
    return replace(results, scan=None, trials=None, load=None, stress=None, suite=None)


def _beside(first: Results, second: Results) -> Results:
    """Two kinds of one run as one. The first has the scan, where one has, and says `fail_on`."""
    if first.base_url and second.base_url:
        _refuse_different("targets", first.base_url, second.base_url)
    _refuse_other_commit(first, second)
    if first.trials and second.load and set(first.objectives) != set(second.objectives):
        raise UsageError(
            "a check and a load with different objectives cannot be merged: either would be "
            "judged by those of the other",
            hint="have the same objectives for both in withstand.toml, or merge each on its own",
        )
    return replace(
        first,
        started_at=min(first.started_at, second.started_at),
        duration_s=max(first.duration_s, second.duration_s),
        version=_both(first.version, second.version, ", "),
        command=_both(first.command, second.command, "\n"),
        base_url=first.base_url or second.base_url,
        api_title=first.api_title or second.api_title,
        api_version=first.api_version or second.api_version,
        config=first.config or second.config,
        commit=first.commit or second.commit,
        load=first.load or second.load,
        stress=first.stress or second.stress,
        suite=first.suite or second.suite,
        void_runs=_union(first.void_runs, second.void_runs),
        objectives=_union(first.objectives, second.objectives),
        soak=first.soak or second.soak,
        strict=first.strict or second.strict,
        interrupted=first.interrupted or second.interrupted,
    )


def _refuse_foreign_void(whole: Results) -> None:
    """Raises UsageError for a shard that came to nothing and is there with results as well, and for
    one of another number of shards.
    """
    for of_load, shards in ((False, whole.shards), (True, whole.load.shards if whole.load else ())):
        void = [each for each in whole.void_runs if each.of_load is of_load]
        parts = [shards, *((each.shard,) for each in void if each.shard is not None)]
        reduce(joined, [each for each in parts if each] or [()])


def _kind(results: Results) -> str:
    parts = (
        ("scan", results.scan),
        ("trials", results.trials),
        ("load", results.load),
        ("stress", results.stress),
        ("suite", results.suite),
        ("void", results.void_runs or None),
    )
    return " with ".join(name for name, part in parts if part is not None) or "nothing"


def _refuse_other_commit(first: Results, second: Results) -> None:
    if first.commit and second.commit:
        _refuse_different("commits", first.commit, second.commit)


def _refuse_different(what: str, first: str, second: str) -> None:
    if first != second:
        raise UsageError(
            f"runs of different {what} cannot be merged: {first} and {second}",
            hint="merge only shards of one run",
        )


T = TypeVar("T")


def _union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _both(first: str, second: str, separator: str) -> str:
    return separator.join(_union(tuple(first.split(separator)), tuple(second.split(separator))))
