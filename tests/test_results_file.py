"""The Results file gives back what was put in and refuses everything else with a sentence."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.stress_sample import stress_only
from tests.results_strategies import any_results, exchanges, scans
from withstand.client.exchange import Exchange
from withstand.errors import UsageError
from withstand.report.headline import headline
from withstand.results import Results
from withstand.results_file import from_json, read_results, to_json, write_results
from withstand.scan.finding import Confidence, Evidence, Finding, Severity
from withstand.scan.records.record import ScanRecord

PLAIN = Results(
    started_at=1.5,
    duration_s=2,
    version="0.1.0",
    command="withstand scan",
    base_url="http://127.0.0.1:8000",
)


@settings(max_examples=40, deadline=None)
@given(any_results)
def test_reading_gives_back_exactly_what_was_written(results: Results) -> None:
    again = from_json(to_json(results), source="x.json")
    assert again == results
    assert repr(again) == repr(results)  # equality takes a text for an enum's member
    assert to_json(again) == to_json(results)


@settings(max_examples=40, deadline=None)
@given(exchanges)
def test_bodies_of_any_bytes_survive(exchange: Exchange) -> None:
    scan = ScanRecord(
        findings=(_finding(exchange),),
        coverage=(),
        operations=(),
        identities=(),
        requests=1,
        duration_s=1.0,
    )
    again = from_json(to_json(replace(PLAIN, scan=scan)), source="x.json")
    assert again.scan == scan


@settings(max_examples=30, deadline=None)
@given(scans, st.data())
def test_a_file_with_one_value_replaced_is_read_or_refused_but_never_crashes(
    scan: ScanRecord, data: st.DataObject
) -> None:
    document = json.loads(to_json(replace(PLAIN, scan=scan)))
    place = document["scan"] if data.draw(st.booleans()) else document
    key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3)
        | st.just([]) | st.just([[]]) | st.just({}) | st.just([{"base64": "!"}])
    )  # fmt: skip
    with suppress(UsageError):
        from_json(json.dumps(document), source="x.json")


def test_writing_replaces_the_file_as_a_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.json"
    write_results(path, PLAIN)
    write_results(path, replace(PLAIN, strict=True))
    assert read_results(path).strict
    assert [each.name for each in path.parent.iterdir()] == ["results.json"]


def test_a_file_that_cannot_be_written_is_a_sentence_and_no_trace(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError, match=r"cannot be written to .*taken: Is a directory"):
        write_results(tmp_path / "taken", PLAIN)
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json cannot be read: No such file"):
        read_results(tmp_path / "gone.json")


def test_results_of_a_newer_version_are_refused_with_what_to_do() -> None:
    document = json.loads(to_json(PLAIN)) | {"schema_version": 2, "new_field": []}
    with pytest.raises(UsageError, match=r"schema version 2.* only up to 1") as refusal:
        from_json(json.dumps(document), source="x.json")
    assert refusal.value.hint is not None
    assert "newer Withstand" in refusal.value.hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it does not say"),
        ('{"format": "withstand-results"}', "its schema_version is None"),
        ('{"format": "withstand-results", "schema_version": true}', "its schema_version is True"),
        ('{"format": "withstand-results", "schema_version": NaN}', "NaN is no JSON number"),
    ],
)
def test_garbage_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError) as refusal:
        from_json(text, source="x.json")
    assert why in refusal.value.message
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("started_at", "soon", r"expected a number, not 'soon' at \$\.started_at"),
        ("started_at", 1e999, "Infinity is no JSON number"),
        ("strict", 1, r"expected bool, not 1 at \$\.strict"),
        ("command", None, r"expected str, not None at \$\.command"),
        ("fail_on", "huge", r"'huge' is not a valid Severity at \$\.fail_on"),
        ("scan", {}, r"something is missing at \$\.scan\.findings"),
        ("surprise", 1, r"unknown fields \(surprise\) at \$"),
    ],
)
def test_a_wrong_field_is_named_with_its_path(key: str, value: object, why: str) -> None:
    document = json.loads(to_json(PLAIN)) | {key: value}
    with pytest.raises(UsageError, match=why):
        from_json(json.dumps(document), source="x.json")


def test_a_file_from_before_there_were_trials_is_read() -> None:
    document = json.loads(to_json(PLAIN))
    del document["trials"]
    assert from_json(json.dumps(document), source="x.json") == PLAIN


def test_a_number_too_large_for_a_float_is_refused() -> None:
    text = to_json(PLAIN).replace('"started_at":1.5', '"started_at":1e999')
    with pytest.raises(UsageError, match="expected a number, not inf"):
        from_json(text, source="x.json")


def _finding(exchange: Exchange) -> Finding:
    return Finding(
        check="bola-read",
        title="t",
        severity=Severity.HIGH,
        confidence=Confidence.FIRM,
        operations=("GET /users",),
        detail="d",
        remedy="r",
        evidence=(Evidence(caption="c", exchange=exchange),),
    )


def test_a_search_for_the_sustainable_rate_comes_to_the_same_when_it_is_read_again() -> None:
    results = stress_only()
    again = from_json(to_json(results), source="x.json")
    assert again == results
    assert again.capacity() == results.capacity()
    assert headline(again) == headline(results)
    assert "capacity" not in to_json(results)
