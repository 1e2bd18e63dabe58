"""Successes so small that they may be refusals in words that nobody knows (V6). Pure."""

from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.client.identity import Identity
from withstand.client.page import page_of
from withstand.client.session import shows_login_again
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Built
from withstand.openapi.resources import creates_items
from withstand.scan.answers.shape import leaves, same_shape, tells
from withstand.scan.answers.similarity import same_content

_FEW: Final = 3  # values in an answer that may be no more than a message
_SHORT: Final = 100  # characters of a page of which the same may be said


@dataclass(frozen=True, slots=True)
class Success:
    """A 2xx that says no no, and who got it."""

    identity: Identity | None
    built: Built
    exchange: Exchange
    response: Response


def may_be_a_refusal(api: Api, operation: Operation, found: Success) -> bool:
    """Whether so little was answered that it may be a refusal in words that nobody knows.

    The next one is asked as well then. Nothing at all, `null` and `{}` are a reader's answer to
    nobody; a few words may tell a stranger to log in, as may a creation that names nothing new.
    """
    response, document = found.response, found.response.json()
    if not operation.is_read:
        made = response.made_at or identifier_in(document, "id")
        return found.identity is None and made is None and creates_items(api, operation)
    if found.identity is not None:
        return response.body.strip() in {b"", b"null", b"{}"}
    page = page_of(response)
    if page is not None:
        return len(page.text) <= _SHORT or shows_login_again(response, "")
    few = document is not None and sum(1 for _ in leaves(document)) <= _FEW
    return few or not tells(response)


def alike(one: Response, other: Response) -> bool:
    """Whether somebody got what somebody else gets, as far as two answers tell."""
    return same_shape(one, other) or same_content(one, other)
