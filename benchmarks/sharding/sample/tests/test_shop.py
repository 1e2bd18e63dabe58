"""Tests of the shop as a team has them: the plug-in's client, classes, odd parameters."""

import pytest

from withstand.pytest_plugin.api_client import ApiClient


class TestProducts:
    def test_everybody_may_read_them(self, api_client: ApiClient) -> None:
        assert api_client.get("/products", headers={}).status_code == 200

    def test_each_has_a_sku(self, api_client: ApiClient) -> None:
        assert all("sku" in each for each in api_client.get("/products").json()["items"])


class TestOrders:
    def test_nobody_reads_them_without_a_token(self, api_client: ApiClient) -> None:
        assert api_client.get("/orders", headers={}).status_code == 401

    def test_whoever_is_logged_in_reads_their_own(self, api_client: ApiClient) -> None:
        assert api_client.get("/orders").status_code == 200


@pytest.mark.parametrize("text", ["", "a b", "[x]", "a::b", "grün", "\\", "'; --"])
def test_a_search_takes_any_text(api_client: ApiClient, text: str) -> None:
    assert api_client.get("/products", params={"q": text}).status_code < 500


@pytest.mark.xdist_group("health")
@pytest.mark.parametrize("number", range(3))
def test_the_shop_is_well(api_client: ApiClient, number: int) -> None:
    assert api_client.get("/health").status_code == 200, number


@pytest.mark.skip(reason="not on this machine")
def test_what_is_skipped_is_counted() -> None: ...


@pytest.mark.xfail(reason="promised for next year", strict=True)
def test_what_fails_as_expected_is_counted() -> None:
    raise AssertionError
