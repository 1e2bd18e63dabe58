"""The fields of an identity under the names by which a login asks for them. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from withstand.client.field_names import is_password, names_user
from withstand.client.login_recipe import LoginRecipe

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def aliased(fields: Mapping[str, str], recipe: LoginRecipe) -> dict[str, str]:
    """The fields, also under the names by which the login asks for them: its `username` is the
    `email` of who has no other, and its `pwd` the `password`.
    """
    found = dict(fields)
    user = next((value for name, value in fields.items() if names_user(name)), None)
    password = next((value for name, value in fields.items() if is_password(name)), None)
    for name in placeholders(recipe):
        if name in found:
            continue
        value = password if is_password(name) else user if names_user(name) else None
        if value is not None:
            found[name] = value
    return found


def placeholders(recipe: LoginRecipe) -> Iterator[str]:
    """The names of the fields that a login asks for."""
    if isinstance(recipe.payload, str):
        return
    for text in _texts((recipe.payload, list(recipe.headers), list(recipe.client or ()))):
        yield from _PLACEHOLDER.findall(text)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)
