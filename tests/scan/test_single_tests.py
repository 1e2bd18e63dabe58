"""Single tests of a scan: chosen beforehand (replay), or asked for one by one (pytest's items)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.scan.small_api import Notes, a_check, finds_everything, nothing, planned
from withstand.client.scripted import Scripted
from withstand.scan.check import PASSED, Check, Outcome, Per, Safety, Steps, send
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.run.scan_run import ScanRun
from withstand.scan.scanner import scan
from withstand.scan.subject import Subject


def one_by_one(
    tests: Iterable[tuple[Check, str | None]], *, api: Notes, last: bool = False
) -> tuple[list[ScanRecord], Scripted]:
    """The record of each test of one run, in order."""
    wanted = tuple(tests)
    plan = planned(*{check.name: check for check, _ in wanted}.values())
    transport = Scripted(api)

    async def journey() -> list[ScanRecord]:
        run = ScanRun(plan, transport)
        await run.prepare()
        return [
            await run.one(check, plan.api.operation(key) if key else None, last=last)
            for check, key in wanted
        ]

    return asyncio.run(journey()), transport


def test_only_the_chosen_tests_are_run() -> None:
    chosen = frozenset({("some-flaw", "GET /me"), ("other", None)})
    checks = (a_check(finds_everything), a_check(nothing, name="other", per=Per.API))
    plan = replace(planned(*checks), only=chosen)
    record = asyncio.run(scan(plan, Scripted(Notes())))
    assert {(cell.check, cell.operation) for cell in record.coverage} == chosen
    assert [finding.operations for finding in record.findings] == [("GET /me",)]


def test_the_record_of_one_test_is_about_it_alone() -> None:
    check = a_check(finds_everything)
    records, transport = one_by_one([(check, "GET /me"), (check, "GET /notes")], api=Notes())
    assert [[cell.operation for cell in record.coverage] for record in records] == [
        ["GET /me"],
        ["GET /notes"],
    ]
    assert [record.findings[0].operations for record in records] == [("GET /me",), ("GET /notes",)]
    # The groundwork opens with one request to see whether the target is there.
    assert [e.request.path for e in transport.exchanges].count("/") == 1


def test_a_test_that_breaks_an_identity_is_void_and_so_are_all_that_follow() -> None:
    api = Notes()

    def locks_bob_out(subject: Subject) -> Steps[Outcome]:
        api.tokens.pop("Bearer bob-token", None)
        return (yield from finds_everything(subject))

    check, after = a_check(locks_bob_out), a_check(nothing, name="after")
    (broken, later), _ = one_by_one([(check, "GET /me"), (after, "GET /notes")], api=api)

    assert broken.void is not None
    assert "bob" in broken.void
    assert broken.findings == ()
    assert [cell.state for cell in broken.coverage] == [CoverageState.INCONCLUSIVE]
    assert later.void == broken.void
    assert [cell.state for cell in later.coverage] == [CoverageState.SKIPPED]


@pytest.mark.parametrize(
    ("safety", "last", "watched"),
    [
        (Safety.READ_ONLY, False, False),
        (Safety.READ_ONLY, True, True),
        (Safety.MUTATING, False, True),
    ],
)
def test_identities_are_watched_after_what_may_hurt_them_and_after_the_last_read(
    safety: Safety, last: bool, watched: bool
) -> None:
    api = Notes()

    def locks_bob_out(subject: Subject) -> Steps[Outcome]:
        api.tokens.pop("Bearer bob-token", None)
        yield from send(subject.anonymous())
        return PASSED

    check = a_check(locks_bob_out, safety=safety)
    (record,), _ = one_by_one([(check, "GET /me")], api=api, last=last)
    assert (record.void is not None) is watched


def test_a_test_that_sends_nothing_costs_nothing() -> None:
    check = a_check(nothing, safety=Safety.MUTATING)
    _, before = one_by_one([(check, "GET /me")], api=Notes())
    _, after = one_by_one([(check, "GET /me")] * 5, api=Notes())
    assert len(before.exchanges) == len(after.exchanges)
