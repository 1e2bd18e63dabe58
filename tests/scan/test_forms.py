"""Websites: writes by forms, answered by redirects, are judged like the writes of any other API."""

import pytest
from benchmarks.scan.one_scan import scanned

from tests.club.flaws import FLAWS
from tests.club.running import running
from withstand.scan.records.record import CoverageState

APART = {  # what another flaw would hide, or what waits for expensive hashes
    "anybody-joins-as-chair",
    "login-hashes-for-members-only",
}
TOGETHER = tuple(flaw for flaw in FLAWS if flaw.name not in APART)
WRITES_OF_OTHERS = (
    "object-changeable-by-other-user",
    "object-deletable-by-other-user",
    "object-readable-by-other-user",
)
COMPARING = (  # injection is looked for, and not found elsewhere, where the flaws are planted
    *({flaw.seen_by for flaw in FLAWS} - {"sql-injection", "cross-site-scripting"}),
    "missing-credential-accepted",
    "garbage-credential-accepted",
    "login-not-rate-limited",
)


def expected(*flaws: str) -> set[tuple[str, str]]:
    chosen = [flaw for flaw in FLAWS if flaw.name in flaws]
    return {(flaw.seen_by, operation) for flaw in chosen for operation in flaw.seen_on or ("*",)}


def test_what_one_member_does_to_the_notes_of_another_is_found() -> None:
    names = [flaw.name for flaw in FLAWS if flaw.seen_by in WRITES_OF_OTHERS]
    with running(*names) as config:
        scan = scanned(config, only=WRITES_OF_OTHERS)

    assert scan.findings == expected(*names)
    assert scan.record.void is None
    notes = [note for note in scan.record.notes if "baseline" in note or "not be" in note]
    assert [note for note in notes if not note.startswith("POST /register created")] == []


def test_careful_forms_have_baselines_and_nothing_is_found() -> None:
    with running() as config:
        scan = scanned(config, only=(*WRITES_OF_OTHERS, "missing-credential-accepted"))

    assert scan.findings == set()
    states = {row.state for row in scan.record.coverage}
    assert CoverageState.INCONCLUSIVE not in states
    assert CoverageState.PASSED in states


def test_a_sign_up_that_redirects_is_understood() -> None:
    with running("anybody-joins-as-chair") as config:
        scan = scanned(config, only=("privileged-property-accepted-on-create",))

    assert scan.findings == expected("anybody-joins-as-chair")


@pytest.mark.slow
def test_every_flaw_of_a_website_is_found_by_its_check() -> None:
    names = [flaw.name for flaw in TOGETHER]
    with running(*names, plain=True) as config:
        scan = scanned(config, only=tuple({flaw.seen_by for flaw in TOGETHER}))

    assert scan.findings == expected(*names)


@pytest.mark.slow
def test_the_time_of_a_login_that_redirects_tells_who_is_a_member() -> None:
    name = "login-hashes-for-members-only"
    with running(name) as config:
        scan = scanned(config, only=("user-enumeration-by-time",))

    assert scan.findings == expected(name)


@pytest.mark.slow
def test_a_careful_website_is_silent() -> None:
    with running() as config:
        scan = scanned(config, only=COMPARING)

    assert scan.findings == set()
    assert scan.record.void is None
