"""What a response must be like, and how it is told that it is not."""

import pytest

from withstand.client.exchange import Response
from withstand.load.scenario.expectation import Expectation


@pytest.mark.parametrize(
    ("expectation", "body", "unmet"),
    [
        (Expectation(contains=("ok", "é")), "ok é", None),
        (Expectation(contains=("ok", "é")), "ok", "the body does not contain 'é'"),
        (Expectation(lacks=("Traceback",)), "fine", None),
        (Expectation(lacks=("Traceback",)), "a Traceback", "the body contains 'Traceback'"),
        (Expectation(max_bytes=4), "1234", None),
        (Expectation(max_bytes=4), "12345", "the body is longer than 4 bytes"),
        (Expectation(json={"$.a[0].b": 1, "$.c": "x"}), '{"a":[{"b":1.0}],"c":"x"}', None),
        (Expectation(json={"$.a": 1}), '{"a": 2}', "$.a is not 1"),
        (Expectation(json={"$.a": 1}), '{"a": true}', "$.a is not 1"),
        (Expectation(json={"$.a": True}), '{"a": 1}', "$.a is not true"),
        (Expectation(json={"$.a": True}), '{"a": true}', None),
        (Expectation(json={"$.a": "x"}), "no JSON", '$.a is not "x"'),
        (Expectation(json={"$": [1]}), "[1]", None),
    ],
)
def test_the_first_thing_that_is_not_as_expected_is_told(
    expectation: Expectation, body: str, unmet: str | None
) -> None:
    assert expectation.unmet(Response(status=200, body=body.encode())) == unmet
