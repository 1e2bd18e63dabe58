"""What a run of a suite came to, or the shards of one: whether each test ran exactly once. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from withstand.errors import UsageError
from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode
from withstand.sharding.shard import Shard, missing_from

_NAMED: Final = 5
_ONE_RUN: Final = "merge each shard of one run once"


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A test that ran to its end.

    `ms` is how long it took with set-up and teardown, `message` the first line of why it failed or
    was skipped, `verdicts` what it measured: state and sentence of each.
    """

    nodeid: str
    outcome: Outcome
    ms: int
    message: str = ""
    verdicts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePart:
    """The run of one shard; of a whole suite it is shard 1/1.

    `digest` tells plans apart, `commit` what was tested, where that is known. `kept` are the node
    ids that the plan gave to this shard, `uncollected` what could not be imported. `exit_code` is
    pytest's, None of a run that was cut off.
    """

    shard: Shard
    by: ShardBy
    mode: ShardMode
    digest: str
    machine: str
    commit: str | None
    kept: tuple[str, ...]
    finished: tuple[Finished, ...] = ()
    uncollected: tuple[str, ...] = ()
    exit_code: int | None = None

    def without_result(self) -> tuple[str, ...]:
        """The tests of this shard that did not come to an end."""
        ended = {each.nodeid for each in self.finished}
        return tuple(nodeid for nodeid in self.kept if nodeid not in ended)

    def failed(self) -> tuple[Finished, ...]:
        """The tests of this shard that failed."""
        return tuple(each for each in self.finished if each.outcome is Outcome.FAILED)

    def trouble(self) -> str | None:
        """Why the results of this shard are not all there is to know; None when they are."""
        open_tests = self.without_result()
        if self.exit_code is None:
            how = f"shard {self.shard} was cut off"
        elif self.exit_code not in (0, 1):
            how = f"shard {self.shard} ended with pytest's exit code {self.exit_code}"
        elif self.exit_code == 1 and not self.failed() and not self.uncollected:
            how = f"shard {self.shard} ended with exit code 1, though no test of it failed"
        elif open_tests:
            how = f"shard {self.shard} stopped early"
        else:
            return None
        if not open_tests:
            return how
        have = "has" if len(open_tests) == 1 else "have"
        of = f"{len(open_tests):,} of its {len(self.kept):,} tests {have} no result"
        return f"{how}: {of} ({_some(open_tests)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRecord:
    """The shards of one run, ascending, and every test that any of them collected."""

    collected: tuple[Member, ...]
    parts: tuple[SuitePart, ...]

    @property
    def missing(self) -> tuple[Shard, ...]:
        """The shards that are not there."""
        return missing_from(tuple(part.shard for part in self.parts))

    def finished(self) -> tuple[Finished, ...]:
        """Every test that ran to its end."""
        return tuple(each for part in self.parts for each in part.finished)

    def failed(self) -> tuple[Finished, ...]:
        """Every test that failed."""
        return tuple(each for part in self.parts for each in part.failed())

    def uncollected(self) -> tuple[str, ...]:
        """What could not be imported, once: every shard collects the whole suite."""
        return tuple(dict.fromkeys(each for part in self.parts for each in part.uncollected))

    def counts(self) -> Counter[Outcome]:
        """How many tests ended how."""
        return Counter(each.outcome for each in self.finished())

    def without_result(self) -> tuple[str, ...]:
        """The tests without a result; of a single shard, only those that it should have run."""
        if len(self.parts) == 1:
            return self.parts[0].without_result()
        ended = {each.nodeid for each in self.finished()}
        return tuple(each.nodeid for each in self.collected if each.nodeid not in ended)

    def troubles(self) -> tuple[str, ...]:
        """Why these results are not those of the whole suite, each test once; empty when they are.

        A shard alone is no trouble, because the others are under way elsewhere.
        """
        found = [trouble for part in self.parts if (trouble := part.trouble()) is not None]
        if len(self.parts) > 1 and self.missing:
            names = ", ".join(map(str, self.missing))
            are = "shard %s is missing" if len(self.missing) == 1 else "shards %s are missing"
            found.append(are % names)
        elif not self.missing:
            given = {nodeid for part in self.parts for nodeid in part.kept}
            if lost := [each.nodeid for each in self.collected if each.nodeid not in given]:
                ran = "test was" if len(lost) == 1 else "tests were"
                found.append(f"{len(lost):,} collected {ran} run by no shard ({_some(lost)})")
        # In a single shard one node id may be there twice: pytest was given a file twice.
        times = Counter(
            nodeid for part in self.parts for nodeid in {each.nodeid for each in part.finished}
        )
        if twice := [nodeid for nodeid, number in times.items() if number > 1]:
            ran = "test ran" if len(twice) == 1 else "tests ran"
            found.append(f"{len(twice):,} {ran} in more than one shard ({_some(twice)})")
        return tuple(found)

    def passed_ms(self) -> tuple[tuple[str, dict[Member, int]], ...]:
        """Machine and what the tests took that passed on it, shard by shard.

        Failures are left out: they end early, or at a time limit.
        """
        members = {each.nodeid: each for each in self.collected}
        return tuple(
            (
                part.machine,
                {
                    members[each.nodeid]: each.ms
                    for each in part.finished
                    if each.outcome is Outcome.PASSED and each.nodeid in members
                },
            )
            for part in self.parts
        )


def merge_suites(first: SuiteRecord, second: SuiteRecord) -> SuiteRecord:
    """One record of the shards in two. Associative.

    Raises UsageError for a shard that is there twice, and for one that is part of another run.
    """
    for part in second.parts:
        _refuse_foreign(first.parts[0], part)
        if any(part.shard == other.shard for other in first.parts):
            raise UsageError(f"shard {part.shard} of the suite is there twice", hint=_ONE_RUN)
    return SuiteRecord(
        collected=tuple(dict.fromkeys((*first.collected, *second.collected))),
        parts=tuple(sorted((*first.parts, *second.parts), key=lambda part: part.shard.number)),
    )


def _refuse_foreign(one: SuitePart, other: SuitePart) -> None:
    if one.shard.total != other.shard.total:
        raise UsageError(
            f"shard {other.shard} cannot be merged with shard {one.shard}: they are parts of "
            f"{other.shard.total} and of {one.shard.total}",
            hint=_ONE_RUN,
        )
    if None not in (one.commit, other.commit) and one.commit != other.commit:
        raise UsageError(
            f"shard {other.shard} tested commit {other.commit}, and shard {one.shard} tested "
            f"{one.commit}",
            hint=_ONE_RUN,
        )
    ways = [f"--shard-by={part.by} --shard-mode={part.mode}" for part in (one, other)]
    if ways[0] != ways[1]:
        raise UsageError(
            f"shard {other.shard} was cut with {ways[1]}, and shard {one.shard} with {ways[0]}",
            hint="cut every shard of a run in the same way",
        )
    if one.digest != other.digest:
        collected = one.mode is ShardMode.COLLECTED
        raise UsageError(
            f"shard {other.shard} was cut by another plan than shard {one.shard}, so tests are "
            "lost or ran twice",
            hint="in the mode `collected` every shard must collect the same tests: find out why "
            "they do not, or use --shard-mode=stable"
            if collected
            else "give every shard the same durations file",
        )


def _some(nodeids: Iterable[str]) -> str:
    names = list(nodeids)
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown
