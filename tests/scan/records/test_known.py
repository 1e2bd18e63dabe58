"""A baseline file: only what is new fails, and what nobody could test stays in it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scan.records.test_suppression import a_record, cell
from tests.scan.test_finding import a_finding
from withstand.errors import UsageError
from withstand.scan.finding import Finding, KnownFinding, Severity
from withstand.scan.records.known import baseline_text, read_baseline, updated, with_known
from withstand.scan.records.record import CoverageState, ScanRecord, SuppressedFinding

OLD = a_finding("GET /users")
NEW = a_finding("GET /orders/{id}")


def known(*findings: Finding) -> tuple[KnownFinding, ...]:
    return updated(a_record(*findings), ())


def fingerprints(*entries: KnownFinding | Finding) -> set[str]:
    return {entry.fingerprint for entry in entries}


def test_what_is_known_is_set_apart_and_what_is_new_stands() -> None:
    record = with_known(a_record(OLD, NEW), known(OLD), file="b.json")
    assert (record.findings, record.known) == ((NEW,), (OLD,))
    assert record.baseline_file == "b.json"


def test_a_known_finding_that_became_worse_is_new() -> None:
    worse = replace(OLD, severity=Severity.CRITICAL)
    milder = replace(OLD, severity=Severity.LOW)
    assert with_known(a_record(worse), known(OLD), file="b").findings == (worse,)
    assert with_known(a_record(milder), known(OLD), file="b").findings == ()


@pytest.mark.parametrize(
    ("state", "gone"),
    [
        (CoverageState.PASSED, True),
        (CoverageState.NOT_APPLICABLE, True),
        (CoverageState.INCONCLUSIVE, False),
        (CoverageState.SKIPPED, False),
        (None, False),
    ],
)
def test_gone_is_only_what_was_tested_for(state: CoverageState | None, gone: bool) -> None:
    record = a_record(cells=() if state is None else (cell(state),))
    assert bool(with_known(record, known(OLD), file="b").gone) is gone
    assert bool(updated(record, known(OLD))) is not gone


def test_a_known_finding_on_an_operation_that_is_not_there_any_more_is_gone() -> None:
    record = replace(
        a_record(cells=(cell(CoverageState.PASSED, operation="GET /x"),)), operations=()
    )
    assert with_known(record, known(OLD), file="b").gone == known(OLD)


def test_a_void_scan_lets_nothing_go() -> None:
    record = replace(a_record(cells=(cell(CoverageState.PASSED),)), void="alice broke")
    assert with_known(record, known(OLD), file="b").gone == ()
    assert updated(record, known(OLD)) == known(OLD)


def test_what_is_accepted_is_neither_known_nor_gone() -> None:
    accepted = SuppressedFinding(finding=OLD, reason="r")
    record = replace(a_record(cells=(cell(CoverageState.FAILED),)), suppressed=(accepted,))
    assert with_known(record, known(OLD), file="b").gone == ()
    assert updated(record, known(OLD)) == ()


def test_an_update_makes_all_that_was_found_known() -> None:
    record: ScanRecord = with_known(a_record(OLD, NEW), known(OLD), file="b")
    fresh = updated(record, known(OLD))
    assert fingerprints(*fresh) == fingerprints(OLD, NEW)
    assert with_known(record, fresh, file="b").findings == ()


def test_the_file_has_a_line_for_each_finding_sorted_and_without_a_date() -> None:
    whole = a_finding("GET /users", "GET /a", check="z-flaw", whole_api=True)
    text = baseline_text(known(NEW, whole, OLD))
    assert text == baseline_text(known(whole, OLD, NEW))
    lines = text.splitlines()[4:-2]
    assert [json.loads(line.rstrip(","))["operation"] for line in lines] == [
        "GET /orders/{id}",
        "GET /users",
        "*",
    ]
    assert json.loads(text)["format"] == "withstand-baseline"


@given(
    st.lists(
        st.builds(
            KnownFinding,
            fingerprint=st.text("0123456789abcdef", min_size=16, max_size=16),
            check=st.text(max_size=5),
            operation=st.text(max_size=5),
            severity=st.sampled_from(Severity),
            parameter=st.none() | st.text(max_size=5),
        ),
        unique_by=lambda entry: entry.fingerprint,
    )
)
def test_what_was_written_is_read_again(entries: list[KnownFinding]) -> None:
    assert set(read_baseline(baseline_text(entries), source="b.json")) == set(entries)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("[]", 'it does not say "format": "withstand-baseline"'),
        ('{"format": "withstand-baseline", "schema_version": 2}', "its schema_version is 2"),
        ('{"format": "withstand-baseline", "schema_version": 1}', "its findings are no list"),
        (baseline_text(known(OLD)).replace('"check"', '"chek"'), "has the unknown key 'chek'"),
        (baseline_text(known(OLD)).replace('"high"', '"hihg"'), "has the severity 'hihg'"),
        (baseline_text(known(OLD)).replace('"a-flaw"', "7"), "is no table of texts"),
    ],
)
def test_what_is_no_baseline_file_is_refused_with_the_way_out(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"b\.json is no baseline file") as caught:
        read_baseline(text, source="b.json")
    assert why in str(caught.value)
    assert "--update-baseline" in str(caught.value)
