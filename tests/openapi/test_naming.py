"""Names that mean the same."""

import pytest

from withstand.openapi.naming import canonical, is_identifier, is_plural, is_reference, noun, words


@pytest.mark.parametrize("name", ["orderId", "order_id", "order-id", "OrderID", "Order Id"])
def test_spellings_of_one_name_are_one(name: str) -> None:
    assert words(name) == ("order", "id")
    assert canonical(name) == "order_id"


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("orders", "order"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("statuses", "status"),
        ("houses", "house"),
        ("warehouses", "warehouse"),
        ("people", "person"),
        ("order-items", "order_item"),
        ("movies", "movy"),  # wrong, and the same wrong for `movie_id` is not needed
    ],
)
def test_a_noun_is_singular(plural: str, singular: str) -> None:
    assert noun(plural) == singular
    assert is_plural(plural)


@pytest.mark.parametrize("text", ["order", "status", "address", "class", "news", "series", "me"])
def test_a_singular_stays(text: str) -> None:
    assert noun(text) == text
    assert not is_plural(text)


def test_identifiers_and_references_are_told_by_their_last_word() -> None:
    assert is_identifier("userId")
    assert is_identifier("uuid")
    assert not is_identifier("valid")
    assert is_reference("product_sku")
    assert not is_reference("skulls")
