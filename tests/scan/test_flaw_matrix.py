"""Every flaw of the shop and of the clinic is found by the check meant for it, and nothing else is.

Flaws that do not disturb each other are planted together, so that a few scans prove them all;
`python -m benchmarks.scan.matrix` plants each alone.
"""

import pytest
from benchmarks.scan.apis import APIS, running
from benchmarks.scan.expected import Planted, compared, groups, planted
from benchmarks.scan.one_scan import scanned

from withstand.demo.flaws import FLAWS as SHOP_FLAWS
from withstand.scan.catalogue import all_checks

# Flawed is what a team did not approve: tests/cli/test_access.py has that.
NEEDS_AN_APPROVED_FILE = {"wider-access-than-approved"}
SEEN_UNDER_LOAD = {"slow-endpoint", "memory-leak"}
FIRST = [(api, groups(planted(api))[0]) for api in APIS]
REST = [(api, group) for api in APIS for group in groups(planted(api))[1:]]


def names(pairs: list[tuple[str, tuple[Planted, ...]]]) -> list[str]:
    return [f"{api}-{group[0].name}" for api, group in pairs]


def test_every_flaw_names_a_check_that_must_find_it() -> None:
    unseen = {flaw.name for flaw in SHOP_FLAWS if flaw.seen_by is None}
    named = {flaw.seen_by for api in APIS for flaw in planted(api)}

    assert unseen == SEEN_UNDER_LOAD
    assert named <= {check.name for check in all_checks()}


def test_every_check_has_a_flaw_that_it_must_find() -> None:
    named = {flaw.seen_by for api in APIS for flaw in planted(api)}
    assert {check.name for check in all_checks()} - named == NEEDS_AN_APPROVED_FILE


@pytest.mark.slow
@pytest.mark.parametrize(("api", "group"), FIRST, ids=names(FIRST))
def test_a_scan_finds_all_that_is_planted_and_nothing_else(
    api: str, group: tuple[Planted, ...]
) -> None:
    with running(api, *(flaw.name for flaw in group)) as served:
        scan = scanned(served.config)

    found = compared(group, scan.findings)
    assert found.missed == []
    assert found.alien == []
    assert scan.record.void is None


@pytest.mark.slow
@pytest.mark.parametrize(("api", "group"), REST, ids=names(REST))
def test_what_cannot_be_planted_beside_the_others_is_found_by_its_family_of_checks(
    api: str, group: tuple[Planted, ...]
) -> None:
    wanted = {flaw.seen_by for flaw in group}
    families = {check.family for check in all_checks() if check.name in wanted}
    if "data exposure" in families:
        families.add("input handling")  # which leads to the answers that are looked at
    with running(api, *(flaw.name for flaw in group)) as served:
        near = tuple(check.name for check in all_checks() if check.family in families)
        scan = scanned(served.config, only=near)

    found = compared(group, scan.findings)
    assert found.missed == []
    assert found.alien == []
