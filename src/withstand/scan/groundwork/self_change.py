"""Calls of which no word says whether they change whoever calls: `POST /home {status}` (V8).

A throw-away user tries them first, and what its account shows then decides who else may.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from withstand.client.exchange import Response
from withstand.client.identity import Identity
from withstand.client.soft_errors import says_no
from withstand.openapi.naming import canonical, is_plural, is_reference, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Built, RequestBuilder
from withstand.openapi.resources import creates_items
from withstand.openapi.spoken import Deed, only_reads, spoken_deed
from withstand.scan.access.accounts import is_password, opens_a_session, sign_up_operation
from withstand.scan.answers.profile import asks_who, differences, profile_in
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_ids import ASKS
from withstand.scan.wire.courier import Courier, NoiseStays


def may_change_the_caller(operation: Operation, builder: RequestBuilder) -> bool:
    """Whether a call that no input points at anything may be about whoever calls it."""
    last = "".join(segments(operation.path)[-1:])
    if operation.path_parameters or operation.method == "GET" or only_reads(operation):
        return False
    if asks_who(operation) or opens_a_session(operation) or {*words(last)} & {*ASKS, "graphql"}:
        return False
    collects = operation.method == "POST" and is_plural(last) and last.islower()
    creates = spoken_deed(operation) is Deed.CREATE or creates_items(builder.api, operation)
    if collects or creates or operation == sign_up_operation(builder.api, builder):
        return False
    return not any(is_reference(slot.name.rpartition(".")[2]) for slot in builder.slots(operation))


async def account_shown(ground: Groundwork, courier: Courier, user: Identity) -> Response | None:
    """The account of a user as the API shows it to them; None where nothing does."""
    if ground.asks_who is None:
        return None
    try:
        exchange = await courier.send(user.authorize(ground.asks_who.built.request))
    except NoiseStays:
        return None
    response = exchange.response
    return response if response is not None and response.succeeded else None


def changed_itself(
    user: Identity, built: Built, answer: Response, before: Response | None, after: Response | None
) -> bool:
    """Whether a call has changed the account of whoever sent it: it is gone, is somebody else's,
    shows what was sent, or the answer is about it.
    """
    names = [text for name, text in user.fields.items() if "@" in text and not is_password(name)]
    if any(name in answer.text for name in names):
        return True
    if before is None:
        return False
    if after is None or says_no(after) or differences(profile_in(before), profile_in(after)):
        return True
    if any(each in after.text and each not in before.text for each in built.canaries):
        return True
    was, now = {*_told(before.json())}, {*_told(after.json())}
    sent = {(canonical(s.name.rpartition(".")[2]), str(v)) for s, v in built.values.items()}
    return bool(sent & (now - was))


def _told(node: Any) -> Iterator[tuple[str, str]]:
    """Name and text of every scalar of a document."""
    pending = [node] if isinstance(node, Mapping | list) else []
    while pending:
        node = pending.pop()
        for key, part in node.items() if isinstance(node, Mapping) else enumerate(node):
            if isinstance(part, Mapping | list):
                pending.append(part)
            elif isinstance(key, str):
                yield canonical(key), str(part)
