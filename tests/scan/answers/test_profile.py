"""Which operations say who calls them, and what of that must stay as it was."""

import pytest

from withstand.client.exchange import Response
from withstand.openapi.operation import Operation, RequestBody
from withstand.scan.answers.profile import asks_who, differences, is_profile, profile_in

OBJECT = RequestBody(media_type="application/json", schema={"type": "object"}, required=True)
NAMED = RequestBody(
    media_type="application/json",
    schema={"properties": {"name": {"type": "string"}}},
    required=True,
)


@pytest.mark.parametrize(
    "path",
    ["/me", "/whoAmI", "/getCurrentUser", "/users/current", "/rpc/me", "/api.php?action=who_am_i"],
)
def test_a_profile_is_known_by_the_words_of_its_name(path: str) -> None:
    assert is_profile(path)
    assert asks_who(Operation(method="GET", path=path))


@pytest.mark.parametrize("path", ["/rpc/whoAmI", "/rpc/me", "/getCurrentUser", "/rpc/getMyProfile"])
def test_a_post_that_takes_nothing_may_ask_for_it_too(path: str) -> None:
    assert asks_who(Operation(method="POST", path=path, bodies=(OBJECT,)))
    assert not asks_who(Operation(method="POST", path=path, bodies=(NAMED,)))


@pytest.mark.parametrize("path", ["/profile", "/account", "/session", "/rpc/updateMe", "/orders"])
def test_a_post_whose_words_do_not_say_that_it_only_reads_is_none(path: str) -> None:
    assert not asks_who(Operation(method="POST", path=path))


def test_what_somebody_has_is_no_part_of_who_they_are() -> None:
    def told(text: str) -> Response:
        return Response(status=200, body=text.encode())

    before = profile_in(told('{"data": {"user": {"id": 7, "address": null, "orders": 1}}}'))
    after = profile_in(told('{"data": {"user": {"id": 7, "address": {"id": 2}, "orders": 2}}}'))
    assert before == {"$.data.user.id": 7}
    assert differences(before, after) == ()
    other = profile_in(told('{"data": {"user": {"id": 8}}}'))
    assert differences(before, other) == ("$.data.user.id",)
