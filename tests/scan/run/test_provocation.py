"""A check that is chosen alone finds what the whole scan finds with it."""

import pytest
from benchmarks.scan.apis import running
from benchmarks.scan.expected import Planted, compared, groups, planted
from benchmarks.scan.one_scan import scanned

from tests.scan.checks.tiny_api import scanned as scanned_tiny
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import all_checks, check_named, chosen, provoking
from withstand.scan.check import Per
from withstand.scan.examples import answer, operation, query

ERRORS = "database-error-in-response"
SHOP = groups(planted("shop"))
SEARCH = {"/items": {"get": operation(secured=False, parameters=(("query", "q"),), example="tea")}}


def pasting(request: Request) -> Response:
    if query(request, "q").count("'") % 2:
        return answer(500, {"error": 'sqlite3.OperationalError: near "tea": syntax error'})
    return answer(200, {"found": []})


def test_what_other_checks_provoke_is_provoked_for_one_that_is_chosen_alone() -> None:
    alone = (check_named(ERRORS),)
    record, _ = scanned_tiny(pasting, SEARCH, checks=alone, provoking=provoking((ERRORS,)))
    assert [finding.check for finding in record.findings] == [ERRORS]
    assert [row.check for row in record.coverage] == [ERRORS]

    assert scanned_tiny(pasting, SEARCH, checks=alone)[0].findings == ()


def test_nothing_is_provoked_by_a_check_that_runs_anyway_or_is_not_wanted() -> None:
    names = check_named(ERRORS).provoked_by
    assert tuple(check.name for check in provoking((ERRORS,))) == names
    assert provoking(()) == ()
    assert provoking((ERRORS, *names[:2]), without=names[2:]) == ()
    assert chosen((ERRORS,)) == (check_named(ERRORS),)


def test_only_checks_of_one_operation_provoke() -> None:
    for check in all_checks():
        assert all(check_named(name).per is Per.OPERATION for name in check.provoked_by)


@pytest.mark.slow
@pytest.mark.parametrize("group", SHOP, ids=[group[0].name for group in SHOP])
def test_every_check_finds_its_flaw_of_the_shop_when_it_is_chosen_alone(
    group: tuple[Planted, ...],
) -> None:
    with running("shop", *(flaw.name for flaw in group)) as served:
        for name in dict.fromkeys(flaw.seen_by for flaw in group):
            found = compared(
                [flaw for flaw in group if flaw.seen_by == name],
                scanned(served.config, only=(name,)).findings,
            )
            assert found.missed == []
            assert found.alien == []
