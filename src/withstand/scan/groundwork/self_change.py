"""Calls of which no word says whether they change whoever calls: `POST /home {status}` (V8).

A throw-away user tries them first, and what its account shows then decides who else may.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Response
from withstand.client.field_names import is_password
from withstand.client.identity import Identity
from withstand.client.page import page_of, properties_of
from withstand.client.soft_errors import says_no
from withstand.openapi.naming import is_reference, names_several, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import RequestBuilder
from withstand.openapi.resources import creates_items, lister_of
from withstand.openapi.spoken import Deed, only_reads, spoken_deed
from withstand.scan.access.accounts import opens_a_session, sign_up_operation
from withstand.scan.answers.profile import asks_who
from withstand.scan.answers.shape import leaves
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_ids import ASKS
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier, NoiseStays

_NOT_FOR_THEM: Final = re.compile(
    r"(?i)forbidden|unauthori[sz]ed|not authori[sz]ed|permission|privilege|access (?:is )?denied"
    r"|\b(?:admin|staff)\w* only|only (?:for )?(?:admin|staff)|requires? .{0,20}\b(?:admin|role)"
    r"|log(?:ged)?[ -]?in|sign(?:ed)?[ -]?in|\b40[13](?:\d\d\d?)?\b"
)
"""What refuses whoever asks; any other no may be about what somebody else has, a full cart."""


def may_change_the_caller(operation: Operation, builder: RequestBuilder) -> bool:
    """Whether a call that no input points at anything may be about whoever calls it."""
    last = "".join(segments(operation.path)[-1:])
    if operation.path_parameters or operation.method == "GET" or only_reads(operation):
        return False
    if asks_who(operation) or opens_a_session(operation) or {*words(last)} & {*ASKS, "graphql"}:
        return False
    collects = operation.method == "POST" and names_several(last)
    if len(words(last)) > 1:  # of `order-items` there is a list, of `swap-points` there is none
        collects = collects and lister_of(builder.api, operation) is not None
    creates = spoken_deed(operation) is Deed.CREATE or creates_items(builder.api, operation)
    if collects or creates or operation == sign_up_operation(builder.api, builder):
        return False
    return not any(is_reference(slot.name.rpartition(".")[2]) for slot in builder.slots(operation))


def is_for_others(
    plan: ScanPlan, ground: Groundwork, operation: Operation, tried: Sequence[Attempt]
) -> bool:
    """Whether somebody configured may try what a throw-away user came to nothing with: as the user
    said, or as a refusal says that is for no want of anything. None that is unclear does.
    """
    last = tried[-1] if tried else None
    if last is None or last.identity not in ground.throwaways or last.exchange is None:
        return True
    if plan.policy.allowed_roles(operation) is not None or last.exchange.status in {401, 403, 405}:
        return True
    return bool(_NOT_FOR_THEM.search(last.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The account of a user as the API shows it to them; `twice` is the same a moment later."""

    answer: Response
    twice: Response


async def account_shown(ground: Groundwork, courier: Courier, user: Identity) -> Shown | None:
    """The account of a user; None where nothing shows it."""
    found: list[Response] = []
    for _ in range(2):
        if ground.asks_who is None:
            return None
        try:
            exchange = await courier.send(user.authorize(ground.asks_who.built.request))
        except NoiseStays:
            return None
        if exchange.response is None or not exchange.succeeded or says_no(exchange.response):
            return None
        found.append(exchange.response)
    return Shown(answer=found[0], twice=found[1])


def changed_itself(
    user: Identity, answer: Response, before: Shown | None, after: Shown | None
) -> bool:
    """Whether a call has changed the account of whoever sent it: the answer is about the account,
    or it is gone, or shows something else. What changes by itself, a time or a counter, is none.
    """
    names = [text for name, text in user.fields.items() if "@" in text and not is_password(name)]
    if any(name in answer.text for name in names):
        return True
    if before is None or after is None:
        return before is not None
    was, still, now = map(_told, (before.answer, before.twice, after.answer))
    return any(
        was.get(place) == still.get(place) != now.get(place) for place in was.keys() | now.keys()
    )


def _told(answer: Response) -> Mapping[str, object]:
    """The values of a document, or of a page's properties, by their places."""
    page = page_of(answer)
    return dict(leaves(properties_of(page) if page is not None else answer.json()))
