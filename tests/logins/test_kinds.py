"""A scan acts as the configured people, whatever the kind of login."""

from pathlib import Path

import pytest

from tests.logins.kinds import KINDS, Kind
from tests.logins.notebook import PASSWORDS, Notebook
from tests.logins.scanning import scanned
from withstand.scan.catalogue import all_checks, check_named

ABOUT_CREDENTIALS = tuple(
    check
    for check in all_checks()
    if check.family in {"authentication", "authorisation", "rate limiting"}
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_well_built_api_has_no_finding_and_its_people_are_as_before(
    kind: Kind, tmp_path: Path
) -> None:
    book = Notebook()
    record, _ = scanned(kind, book, tmp_path, checks=ABOUT_CREDENTIALS)

    assert record.void is None
    assert [finding.check for finding in record.findings] == []
    assert [n for n in record.notes if "/notes" in n or "/me was" in n] == []
    assert any(
        "alice, bob and root still log in as configured, with the profile of before" in note
        for note in record.facts
    ), record.notes
    assert book.passwords == PASSWORDS
    assert book.notes == {}  # all that was made is gone


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_notes_that_other_users_may_read_are_found(kind: Kind, tmp_path: Path) -> None:
    check = check_named("object-readable-by-other-user")
    record, _ = scanned(kind, Notebook(leaky=True), tmp_path, checks=(check,))

    (finding,) = record.findings
    assert finding.operations[0].startswith("GET ")
    assert finding.operations[0].endswith("/notes/{id}")
