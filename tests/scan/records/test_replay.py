"""Which test a fingerprint names, and what running it again says."""

import pytest

from tests.scan.records.test_suppression import a_record, cell
from tests.scan.small_api import a_check, nothing
from tests.scan.test_finding import a_finding
from withstand.errors import UsageError
from withstand.openapi.operation import Api, Operation
from withstand.scan.check import Per
from withstand.scan.records.record import CoverageState
from withstand.scan.records.replay import (
    Answer,
    Place,
    answered,
    place_named,
    places_of_record,
    places_of_tests,
    same_tests,
)

FINDING = a_finding("GET /users")
(PLACE,) = places_of_record(a_record(FINDING))
API = Api(
    title="t",
    version="1",
    source="openapi.json",
    operations=(
        Operation(method="GET", path="/users"),
        Operation(method="GET", path="/orders/{orderId}"),
    ),
)
CHECK = a_check(nothing, name="a-flaw")


def test_the_beginning_of_a_fingerprint_suffices_when_only_one_begins_so() -> None:
    places = [
        Place(fingerprint=name, check="c", operation=None)
        for name in ("aaaa111122223333", "aaab111122223333")
    ]
    assert place_named("AAAA1", places, searched="x").fingerprint == "aaaa111122223333"
    with pytest.raises(UsageError, match="no finding bbbb is in x"):
        place_named("bbbb", places, searched="x")
    with pytest.raises(UsageError, match="too short"):
        place_named("aaa", places, searched="x")


def test_a_beginning_that_two_share_is_refused_with_both() -> None:
    places = [
        Place(fingerprint=name, check="c", operation=None)
        for name in ("aaaa111122223333", "aaaa444422223333")
    ]
    with pytest.raises(UsageError, match="aaaa111122223333, aaaa444422223333"):
        place_named("aaaa", places, searched="x")


def test_the_test_is_found_although_the_path_parameter_has_another_name_by_now() -> None:
    (place,) = places_of_record(a_record(a_finding("GET /orders/{id}")))
    assert same_tests(place, CHECK, API) == {("a-flaw", "GET /orders/{orderId}")}


def test_a_finding_of_the_whole_api_is_the_test_of_the_whole_api() -> None:
    (place,) = places_of_record(a_record(a_finding("GET /users", whole_api=True)))
    check = a_check(nothing, name="a-flaw", per=Per.API)
    assert same_tests(place, check, API) == {("a-flaw", None)}


def test_the_tests_of_an_api_have_the_fingerprints_of_their_findings() -> None:
    places = places_of_tests((CHECK, a_check(nothing, name="b-flaw", per=Per.API)), API)
    assert {place.fingerprint for place in places} == {
        a_finding("GET /users").fingerprint,
        a_finding("GET /orders/{id}").fingerprint,
        a_finding("GET /users", check="b-flaw", whole_api=True).fingerprint,
    }


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (CoverageState.PASSED, Answer.GONE),
        (CoverageState.NOT_APPLICABLE, Answer.GONE),
        (CoverageState.INCONCLUSIVE, Answer.UNKNOWN),
        (CoverageState.SKIPPED, Answer.UNKNOWN),
        (None, Answer.UNKNOWN),
    ],
)
def test_gone_is_said_only_of_a_test_that_could_tell(
    state: CoverageState | None, answer: Answer
) -> None:
    record = a_record(cells=() if state is None else (cell(state),))
    assert answered(PLACE, record).answer is answer


def test_a_finding_that_is_there_again_is_still_there() -> None:
    replayed = answered(PLACE, a_record(FINDING, cells=(cell(CoverageState.FAILED),)))
    assert (replayed.answer, replayed.finding) == (Answer.STILL_THERE, FINDING)


def test_another_parameter_of_the_same_test_is_not_the_same_finding() -> None:
    other = a_finding("GET /users", parameter="query q")
    replayed = answered(PLACE, a_record(other, cells=(cell(CoverageState.FAILED),)))
    assert replayed.answer is Answer.GONE
    assert other.fingerprint in replayed.reason
