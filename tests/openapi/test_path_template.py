"""Reading path templates."""

import pytest

from withstand.openapi.path_template import (
    collection_path,
    item_path,
    resource_before,
    resource_of,
    shape,
    values_in,
)


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/orders", "order"),
        ("/orders/{id}", "order"),
        ("/orders/{id}/items", "item"),
        ("/orders/{id}/cancel", "order"),
        ("/users/me", "user"),
        ("/me", "user"),
        ("/api/v1/order-lines/{id}/", "order_line"),
        ("/{id}", ""),
    ],
)
def test_a_path_is_about_its_last_noun(path: str, resource: str) -> None:
    assert resource_of(path) == resource


def test_a_parameter_picks_one_of_what_stands_before_it() -> None:
    path = "/users/{userId}/notes/{id}"
    assert resource_before(path, "user_id") == "user"
    assert resource_before(path, "id") == "note"
    assert resource_before(path, "other") == ""


def test_items_and_collections_end_at_the_last_parameter() -> None:
    assert item_path("/orders/{id}/cancel") == "/orders/{id}"
    assert collection_path("/orders/{id}/cancel") == "/orders"
    assert item_path("/orders") is None
    assert collection_path("/orders") is None


def test_shapes_ignore_names_and_a_last_slash() -> None:
    assert shape("/a/{b}/") == shape("/a/{c}")
    assert shape("/a/{b}") != shape("/a/b")


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/orders/{id}", "/api/orders/7?x=1", {"id": "7"}),
        ("/a/{b}/c/{d}", "/a/x%2Fy/c/z", {"b": "x/y", "d": "z"}),
        ("/files/{name}.{ext}", "/files/a.b", {"name": "a", "ext": "b"}),
        ("/orders/{id}", "/users/7", {}),
        ("/orders/{id}/items", "/items", {}),
    ],
)
def test_a_paths_values_stand_where_the_template_has_names(
    template: str, path: str, values: dict[str, str]
) -> None:
    assert values_in(template, path) == values
    assert [*values_in(template, path)] == [*values]  # in the path's order
