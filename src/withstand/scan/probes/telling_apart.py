"""Whether answers tell a user who exists from users who do not. Pure.

What one sent comes back in many refusals, and times, request ids and counters of tries change by
themselves: none of that tells anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.scan.answers.similarity import normalised, same_content, volatile_places
from withstand.scan.probes.inputs import masked

_MARKUP: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about somebody: its exchange, and the texts in it that an answer may echo."""

    exchange: Exchange
    said: tuple[str, ...]


def asked(exchange: Exchange, fields: Mapping[str, str]) -> Asked:
    """An exchange with all that an answer may repeat of it, the longest text first."""
    said = {value for value in fields.values() if len(value) > 2}
    said |= {value.partition("@")[0] for value in said if "@" in value}
    return Asked(exchange=exchange, said=tuple(sorted(said, key=len, reverse=True)))


def told_apart(known: Asked, strangers: tuple[Asked, ...]) -> str | None:
    """By what the known user's answer differs from every stranger's; None where it does not.

    None also where the strangers' own answers differ in status, or in a text without structure.
    """
    answer = known.exchange.response
    others = [s.exchange.response for s in strangers if s.exchange.response is not None]
    if answer is None or not others or len(others) < len(strangers):
        return None
    if len({other.status for other in others}) != 1:
        return None
    if answer.status != others[0].status:
        return f"status {answer.status} instead of {others[0].status}"
    places = [
        _place(each, who) for each, who in zip((*others, answer), (*strangers, known), strict=True)
    ]
    if len({*places[:-1]}) == 1 and places[-1] != places[0]:
        return "another Location"
    one = _plain(answer, known)
    rest = [_plain(other, who) for other, who in zip(others, strangers, strict=True)]
    volatile: frozenset[str] = frozenset()
    for other in rest[1:]:
        volatile |= volatile_places(rest[0], other)
    if any(not _same(rest[0], other, volatile) for other in rest[1:]):
        return None
    return None if _same(rest[0], one, volatile) else "another text"


def _same(one: Response, other: Response, volatile: frozenset[str]) -> bool:
    if normalised(one) == normalised(other):
        return True
    return one.json() is not None and same_content(one, other, volatile=volatile)


def _place(response: Response, who: Asked) -> str:
    """Where it leads, without echoes; every number 0."""
    address = Response(status=0, body=(response.header("location") or "").encode())
    return _plain(address, who).text


def _plain(response: Response, who: Asked) -> Response:
    """The response without echoes; of a page its text alone; every number 0."""
    for text in who.said:
        response = masked(response, text)
    text = response.text
    if response.json() is None:
        text = " ".join(_MARKUP.sub(" ", text).split())
        text = normalised(replace(response, body=text.encode()))
    return replace(response, body=re.sub(r"\d+", "0", text).encode())
