"""A scan in shards: together they are the scan that was not divided."""

import asyncio
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import reduce

import pytest

from tests.scan.small_api import Notes, a_check, answer, finds_everything, nothing, planned
from withstand.client.exchange import Request, Response
from withstand.client.scripted import Scripted
from withstand.errors import UsageError
from withstand.openapi.operation import Operation
from withstand.report.headline import headline
from withstand.report.scan_wording import run_facts
from withstand.results import Conclusion, Results, merge_shards
from withstand.scan.catalogue import all_checks
from withstand.scan.check import PASSED, Check, Failed, Outcome, Per, Steps, send, shown
from withstand.scan.finding import KnownFinding, Severity
from withstand.scan.records.known import with_known
from withstand.scan.records.merge import merge_records
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.records.share import holds, scan_shortfall
from withstand.scan.records.suppression import Suppression, without_suppressed
from withstand.scan.scanner import scan
from withstand.scan.seen import answers
from withstand.scan.subject import Subject
from withstand.sharding import Shard

SECRET = "ws-secret-4711"


def seen_secret(subject: Subject) -> Steps[Outcome]:
    """A check that only looks back."""
    yield from ()
    for exchange in answers(subject):
        if exchange.response is not None and SECRET in exchange.response.text:
            return Failed(detail="it is there", evidence=(shown("seen", exchange),))
    return PASSED


def provokes(_subject: Subject) -> Steps[Outcome]:
    """A check whose attack has the secret answered, where it is run."""
    yield from send(Request(method="GET", path="/provoked"))
    return PASSED


class Leaking(Notes):
    """Answers an attack with its secret."""

    def __call__(self, request: Request) -> Response:
        if request.path == "/provoked":
            return answer(500, {"error": SECRET})
        return super().__call__(request)


WATCHING = replace(
    a_check(seen_secret, name="secret-seen", per=Per.API), looks_back=True, proves_at_once=True
)
CHECKS = (
    a_check(finds_everything),
    *(replace(a_check(nothing, name=f"quiet-{n}"), family=f"family {n}") for n in range(5)),
    replace(a_check(provokes, name="provoking", per=Per.API), family="attacks"),
    WATCHING,
)


def in_shards(total: int, *checks: Check) -> list[ScanRecord]:
    """The records of all shards, each scanning an API of its own."""
    plan = planned(*checks)
    return [
        asyncio.run(
            scan(replace(plan, shard=Shard(number=number, total=total)), Scripted(Leaking()))
        )
        for number in range(1, total + 1)
    ]


def undivided(*checks: Check) -> ScanRecord:
    return asyncio.run(scan(planned(*checks), Scripted(Leaking())))


def run_of(record: ScanRecord, *, strict: bool = False) -> Results:
    return Results(
        started_at=0.0,
        duration_s=1.0,
        version="1",
        command="withstand scan",
        base_url="http://127.0.0.1:9",
        scan=record,
        strict=strict,
    )


def cells(record: ScanRecord) -> dict[tuple[str, str | None], CoverageState]:
    return {(cell.check, cell.operation): cell.state for cell in record.coverage}


@pytest.mark.parametrize("total", [1, 2, 4, 7])
def test_merged_shards_are_the_scan_that_was_not_divided(total: int) -> None:
    alone, shards = undivided(*CHECKS), in_shards(total, *CHECKS)
    merged = reduce(merge_records, shards)

    assert cells(merged) == cells(alone)
    assert {f.fingerprint for f in merged.findings} == {f.fingerprint for f in alone.findings}
    assert {f.fingerprint: set(f.operations) for f in merged.findings} == {
        f.fingerprint: set(f.operations) for f in alone.findings
    }
    assert scan_shortfall(merged) is None
    assert [shard.number for shard in merged.shards] == list(range(1, total + 1))
    held = Counter(place for record in shards for place in cells(record))
    assert {place for place, times in held.items() if times > 1} <= {("secret-seen", None)}


def test_what_only_another_shard_was_answered_is_found_there() -> None:
    shards = in_shards(4, *CHECKS)
    provoked = next(r for r in shards if ("provoking", None) in cells(r))
    owner = next(n for n in range(1, 5) if holds(Shard(number=n, total=4), WATCHING, None))
    assert provoked is not shards[owner - 1], "the test needs them apart"

    assert cells(provoked)["secret-seen", None] is CoverageState.FAILED
    assert cells(shards[owner - 1])["secret-seen", None] is CoverageState.PASSED
    others = [r for r in shards if r is not provoked and r is not shards[owner - 1]]
    assert not any(("secret-seen", None) in cells(record) for record in others)


@pytest.mark.parametrize("total", range(1, 9))
def test_every_test_is_in_exactly_one_shard_whatever_else_there_is(total: int) -> None:
    shards = [Shard(number=number, total=total) for number in range(1, total + 1)]
    for check in all_checks():
        places = (None,) if check.per is Per.API else planned().api.operations
        for place in places:
            assert sum(holds(shard, check, place) for shard in shards) == 1


def test_a_family_stays_together_on_a_collection_and_its_items() -> None:
    check = a_check(nothing)
    for total in range(2, 9):
        shards = [Shard(number=number, total=total) for number in range(1, total + 1)]
        for path in ("/orders", "/shops/{shop}/orders"):
            places = [
                Operation(method=method, path=path + item)
                for method in ("GET", "DELETE")
                for item in ("", "/", "/{id}", "/{id}/", "/{region}/{id}")
            ]
            assert len({s.number for s in shards for p in places if holds(s, check, p)}) == 1


def test_the_checks_that_look_back_are_those_that_read_what_was_answered() -> None:
    reading = {
        check.name
        for check in all_checks()
        if answers in vars(sys.modules[check.run.__module__]).values()
    }
    assert reading == {check.name for check in all_checks() if check.looks_back}
    assert all(check.per is Per.API for check in all_checks() if check.looks_back)


def test_a_shard_that_is_missing_is_named_and_voids_what_seems_to_be_well() -> None:
    quiet = CHECKS[1:6]
    one, _, three, _ = in_shards(4, *quiet)
    some = merge_shards([run_of(one), run_of(three)])

    assert some.conclusion() is Conclusion.VOID
    assert some.exit_code() == 3
    (reason,) = some.untrusted_reasons()
    assert reason == "shards 2/4, 4/4 are missing, so their tests have no result"
    assert merge_shards([run_of(each) for each in in_shards(4, *quiet)]).exit_code() == 0


def test_a_test_that_no_shard_has_a_result_of_voids_the_run() -> None:
    one, two = in_shards(2, *CHECKS[1:6])
    cut = replace(two, coverage=two.coverage[1:])
    assert "have no result" in merge_shards([run_of(one), run_of(cut)]).untrusted_reasons()[0]


def test_what_is_no_part_of_the_scan_is_refused_by_name() -> None:
    one, two = in_shards(2, *CHECKS)
    for others, sentence in (
        ([one], "shard 1/2 is there twice"),
        ([undivided(*CHECKS)], "a shard cannot be merged with a whole run"),
        (in_shards(3, *CHECKS)[1:2], "they are parts of 3 and of 2"),
        (in_shards(2, *CHECKS[:3])[1:], "shard 2/2 is no part of the scan of shard 1/2"),
        ([replace(two, operations=("GET /new",), whole="0")], "only one of them knows"),
    ):
        with pytest.raises(UsageError, match=sentence):
            merge_shards([run_of(one), *map(run_of, others)])


def test_a_shard_without_a_test_holds_also_when_strict() -> None:
    empty = next(r for r in in_shards(9, *CHECKS[1:2]) if not r.coverage)
    results = run_of(empty, strict=True)

    assert results.exit_code() == 0
    assert headline(results) == "Nothing of this shard can be tested."
    assert run_facts(results)[0].startswith(f"Shard {empty.shards[0]} of the run")


def test_a_merged_report_says_of_which_shards_it_is() -> None:
    shards = [run_of(each) for each in in_shards(3, *CHECKS)]
    assert run_facts(merge_shards(shards))[0] == "All 3 shards of the run, merged."
    assert run_facts(merge_shards(shards[1:]))[0] == "Shards 2/3, 3/3 of the run, merged."


def test_what_is_gone_and_what_is_idle_is_said_as_by_a_scan_that_was_not_divided() -> None:
    known = (
        KnownFinding(fingerprint="0" * 16, check="quiet-1", operation="*", severity=Severity.LOW),
        KnownFinding(
            fingerprint="1" * 16, check="quiet-2", operation="GET /me", severity=Severity.LOW
        ),
        KnownFinding(fingerprint="2" * 16, check="other", operation="*", severity=Severity.LOW),
    )
    idle = Suppression(reason="old", check="quiet-3", operation="GET /notes")
    used = Suppression(reason="fine", check="some-flaw", operation="GET /me")

    def settled(record: ScanRecord) -> ScanRecord:
        aside = without_suppressed(record, (idle, used), date(2027, 1, 1))
        return with_known(aside, known, file="known.json")

    alone = settled(undivided(*CHECKS))
    merged = merge_shards([run_of(settled(each)) for each in in_shards(4, *CHECKS)]).scan
    assert merged is not None
    assert {entry.fingerprint for entry in alone.gone} == {"0" * 16, "1" * 16}
    assert set(merged.gone) == set(alone.gone)
    assert {use.what: use.missed for use in merged.suppressions} == {
        use.what: use.missed for use in alone.suppressions
    }


def test_what_one_shard_could_not_tell_is_not_gone_from_the_whole() -> None:
    entry = KnownFinding(
        fingerprint="0" * 16, check="quiet-1", operation="*", severity=Severity.LOW
    )

    def settled(record: ScanRecord) -> ScanRecord:
        return with_known(record, (entry,), file="known.json")

    shards = in_shards(2, *CHECKS[1:6])
    doubtful = replace(
        shards[0],
        coverage=tuple(
            replace(cell, state=CoverageState.INCONCLUSIVE) if cell.check == "quiet-1" else cell
            for cell in shards[0].coverage
        ),
    )
    assert any(cell.check == "quiet-1" for cell in doubtful.coverage)
    merged = merge_shards([run_of(settled(doubtful)), run_of(settled(shards[1]))]).scan
    assert settled(shards[1]).gone == (entry,)
    assert merged is not None
    assert merged.gone == ()


def test_answers_are_provoked_in_the_shard_of_the_check_that_waits_for_them() -> None:
    waiting = replace(WATCHING, provoked_by=("provoking",))
    plan = replace(planned(waiting), provoking=(a_check(provokes, name="provoking"),))
    for number in (1, 2, 3):
        shard = Shard(number=number, total=3)
        transport = Scripted(Leaking())
        record = asyncio.run(scan(replace(plan, shard=shard), transport))
        provoked = any(each.request.path == "/provoked" for each in transport.exchanges)
        assert provoked == holds(shard, waiting, None)
        assert bool(record.findings) == provoked
