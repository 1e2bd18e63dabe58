"""Whether somebody else than those authorised gets what an operation gives.

A status is not evidence: an answer counts as granted only when it says the same as what the
authorised identity gets, or when the authorised identity sees its effect. Shared by the checks of
authentication and authorisation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.request_builder import Built, Unbuildable
from withstand.scan.access.making import sacrifice, spare
from withstand.scan.access.objects import Made, like_baseline, located, read_back
from withstand.scan.access_matrix import Access as Access
from withstand.scan.answers.landing import is_gone, leads_alike
from withstand.scan.answers.removal import how_gone
from withstand.scan.answers.shape import gives_all, is_empty, same_shape, tells
from withstand.scan.answers.similarity import same_content
from withstand.scan.check import Steps, send
from withstand.scan.subject import Baseline, Subject

Alter = Callable[[Request], Request]
"""A request without a credential → as the one who must not be served sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt and what it led to. `reason` is one clause for the report.

    `telling` is False where the answer carries nothing that only the authorised may know and no
    effect was seen: the status alone speaks. `nothing` says that the answer was empty: whoever
    asked may have nothing of their own, and have been given no more than that.
    """

    access: Access
    exchange: Exchange | None
    reason: str
    authorised: Exchange | None = None
    telling: bool = True
    nothing: bool = False


def attempt(
    subject: Subject, baseline: Baseline, alter: Alter, *, by_shape: bool = False
) -> Steps[Attempt]:
    """Calls an operation with a changed credential.

    `by_shape` is for roles: two roles may see different objects of the same kind.
    """
    if baseline.operation.is_read:
        return (yield from _read(subject, baseline, alter, by_shape))
    try:
        if baseline.operation.removes:
            return (yield from _delete(subject, baseline, alter))
        return (yield from _write(subject, baseline, alter))
    except Unbuildable as problem:
        return _unclear(None, problem.reason)


def authorised_request(subject: Subject, baseline: Baseline, bare: Request) -> Request:
    """A request as the identity of the baseline sends it."""
    owner = owner_of(subject, baseline)
    return owner.authorize(bare) if owner else bare


def owner_of(subject: Subject, baseline: Baseline) -> Identity | None:
    """The identity of a baseline; None when it succeeded anonymously."""
    return subject.identity(baseline.identity) if baseline.identity is not None else None


def refuses(subject: Subject, response: Response) -> bool:
    """Whether a response refuses: also 400 and 422, which some APIs answer to a bad credential."""
    return subject.refused(response) or response.status in {400, 402, 405, 407, 422}


def _read(subject: Subject, baseline: Baseline, alter: Alter, by_shape: bool) -> Steps[Attempt]:
    bare = subject.stripped(baseline.exchange.request)
    exchange = yield from send(alter(bare))
    response = exchange.response
    if response is None or response.status >= 500:
        return _unclear(exchange, f"it answered {exchange.status} instead of refusing")
    if refuses(subject, response):
        if response.status in {401, 403} or 300 <= response.status < 400 or response.succeeded:
            return _refused(exchange)
        control = yield from send(authorised_request(subject, baseline, bare))
        if control.succeeded:
            return _refused(exchange)
        return _unclear(exchange, f"the authorised request now gets {control.status}")
    if not response.succeeded:
        return _unclear(exchange, f"it answered {response.status}")
    control = yield from send(authorised_request(subject, baseline, bare))
    expected = control.response
    if expected is None or not expected.succeeded:
        return _unclear(exchange, f"the authorised request now gets {control.status}")
    if is_empty(response) and not is_empty(expected):
        reason = "it answered with nothing of what the authorised identity gets"
        return replace(_unclear(exchange, reason), nothing=True)
    same = same_content(expected, response, repeat_of_one=baseline.exchange.response) or (
        not expected.body.strip() and not response.body.strip()
    )
    same = same or gives_all(response, expected)
    if not same and by_shape:
        same = tells(expected) and same_shape(expected, response)
    if not same:
        return _unclear(
            exchange,
            f"it answered {response.status}, but not with what the authorised identity gets",
        )
    nowhere = yield from to_nowhere(subject, exchange)
    if nowhere:
        return _unclear(exchange, "the API gives the same answer at a path that does not exist")
    return Attempt(
        access=Access.GRANTED,
        exchange=exchange,
        reason=f"it answered {response.status} with what the authorised identity gets",
        authorised=control,
        telling=tells(response),
        nothing=is_empty(response),
    )


def _write(subject: Subject, baseline: Baseline, alter: Alter) -> Steps[Attempt]:
    built = like_baseline(subject, baseline)
    exchange = yield from send(alter(subject.stripped(built.request)))
    response = exchange.response
    if response is None or response.status >= 500:
        return _unclear(exchange, f"it answered {exchange.status} instead of refusing")
    if not response.succeeded or subject.refused(response):
        if response.status in {401, 403} or 300 <= response.status < 400 or response.succeeded:
            return _refused(exchange)
        again = like_baseline(subject, baseline)
        control = yield from send(authorised_request(subject, baseline, again.request))
        if control.succeeded and response.status != 409:
            return _refused(exchange)
        return _unclear(
            exchange, f"it answered {response.status}, the authorised request {control.status}"
        )
    if 300 <= response.status < 400:
        return (yield from _on_page(subject, baseline, built, exchange))
    expected = baseline.exchange.response
    if expected is None or not same_kind(expected, response):
        return _unclear(
            exchange,
            f"it answered {response.status}, but not with what the authorised identity gets",
        )
    nowhere = yield from to_nowhere(subject, exchange)
    if nowhere:
        return _unclear(exchange, "the API gives the same answer at a path that does not exist")
    changed = yield from _changed(subject, baseline, built)
    if changed is not None and not changed.succeeded:
        return _unclear(exchange, f"afterwards the authorised identity reads {changed.status}")
    shows = changed is not None and _holds(changed, built.canaries)
    if changed is not None and not shows:
        return _unclear(exchange, f"it answered {response.status}, but nothing has changed")
    return Attempt(
        access=Access.GRANTED,
        exchange=exchange,
        reason=f"it answered {response.status}, as to the authorised identity"
        + (", and what it sent is stored" if shows else ""),
        authorised=changed or baseline.exchange,
        telling=shows or tells(response),
    )


def _on_page(
    subject: Subject, baseline: Baseline, built: Built, exchange: Exchange
) -> Steps[Attempt]:
    """A website leads everybody to some page: what the authorised identity reads there tells."""
    seen = yield from _seen(subject, baseline, built, exchange)
    if seen is not None:
        return Attempt(
            access=Access.GRANTED,
            exchange=exchange,
            reason=f"it answered {exchange.status}, and what it sent is stored",
            authorised=seen,
        )
    own = like_baseline(subject, baseline)
    control = yield from send(authorised_request(subject, baseline, own.request))
    if (yield from _seen(subject, baseline, own, control)) is not None:
        return _refused(exchange, "and nothing of what it sent is stored")
    return _unclear(exchange, f"it answered {exchange.status}, but no effect can be seen")


def _seen(
    subject: Subject, baseline: Baseline, built: Built, exchange: Exchange
) -> Steps[Exchange | None]:
    """What was written, on the page where the authorised identity finds such things."""
    usual, response = baseline.exchange.response, exchange.response
    item = response.item_path if response is not None else None
    path = item or urlsplit((usual.header("location") if usual else None) or "").path
    if not path or not built.canaries:
        return None
    page = Request(method="GET", path=path, headers=(("Accept", "text/html, */*"),))
    seen = yield from send(authorised_request(subject, baseline, page))
    return seen if seen.succeeded and _holds(seen, built.canaries) else None


def _changed(subject: Subject, baseline: Baseline, built: Built) -> Steps[Exchange | None]:
    """What was changed, as the authorised identity reads it now; None when that cannot tell."""
    operation = baseline.operation
    if operation.method not in {"PUT", "PATCH"} or not built.canaries:
        return None
    before = subject.baselines.get(f"GET {operation.path}")
    if before is None or before.exchange.response is None:
        return None
    place = {slot: value for slot, value in built.values.items() if slot.location == "path"}
    request = like_baseline(subject, before, place).request
    exchange = yield from send(authorised_request(subject, baseline, request))
    return exchange


def _holds(exchange: Exchange, canaries: tuple[str, ...]) -> bool:
    response = exchange.response
    return response is not None and any(canary in response.text for canary in canaries)


def _delete(subject: Subject, baseline: Baseline, alter: Alter) -> Steps[Attempt]:
    owner = owner_of(subject, baseline)
    made = yield from sacrifice(subject, baseline.operation, by=owner)
    if not isinstance(made, Made):
        return _unclear(None, f"nothing of the scan's own to delete: {made}")
    before = yield from read_back(subject, baseline.operation, made, owner)
    built = located(subject, baseline.operation, made, owner)
    exchange = yield from send(alter(subject.stripped(built.request)))
    after = yield from read_back(subject, baseline.operation, made, owner)
    if before is not None and before.response and before.succeeded and after is not None:
        gone = how_gone(before.response, after) is not None
        if not gone and after.succeeded:
            spare(subject, baseline.operation, made, by=owner)
    else:
        # Nobody can read it: whether the owner can still delete it tells whether it was there.
        after = yield from send(authorised_request(subject, baseline, built.request))
        gone = exchange.succeeded and is_refused_as_gone(subject, after)
        if (yield from tells_nothing(subject, exchange, after)):
            return _unclear(exchange, "it answers alike whether or not there is anything to delete")
    if gone:
        return Attempt(
            access=Access.GRANTED,
            exchange=exchange,
            reason=f"it answered {exchange.status}, and the object is gone",
            authorised=after,
        )
    if after.succeeded:
        return _refused(exchange, "the object is still there")
    return _unclear(exchange, f"afterwards its owner got {after.status}")


def is_refused_as_gone(subject: Subject, after: Exchange) -> bool:
    """Whether the answer to a second deletion says that nothing was left, by status or softly."""
    return is_gone(after) or (after.succeeded and not subject.seems_done(after))


def tells_nothing(subject: Subject, tried: Exchange, after: Exchange) -> Steps[bool]:
    """Whether a deletion is answered with success also where nothing is left to be deleted.

    `after` is the owner's deletion of what was `tried` before.
    """
    if not subject.seems_done(tried) or not subject.seems_done(after):
        return False
    once_more = yield from send(after.request)
    return subject.seems_done(once_more)


def same_kind(expected: Response, response: Response) -> bool:
    """Whether two answers to a write are of one kind, though ids and texts differ."""
    if 300 <= max(expected.status, response.status) < 400:
        return expected.status == response.status and leads_alike(expected, response)
    if not expected.body.strip() or not response.body.strip():
        return not expected.body.strip() and not response.body.strip()
    if expected.json() is None:
        return response.json() is None
    return same_shape(expected, response)


def to_nowhere(subject: Subject, exchange: Exchange) -> Steps[bool]:
    """Whether a path that does not exist gets the same answer: then the answer says nothing."""
    path = f"{subject.target.base_path}/{subject.nonce()}"
    control = yield from send(replace(subject.stripped(exchange.request), path=path))
    one, other = exchange.response, control.response
    if one is None or other is None or not other.succeeded:
        return False
    return same_content(one, other) or one.body == other.body


def _refused(exchange: Exchange, more: str = "") -> Attempt:
    reason = f"it answered {exchange.status}" + (f", {more}" if more else "")
    return Attempt(access=Access.REFUSED, exchange=exchange, reason=reason)


def _unclear(exchange: Exchange | None, reason: str) -> Attempt:
    return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
