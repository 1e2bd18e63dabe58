"""Who is served by an operation: one attempt for the anonymous caller and one for each role.

An attempt of a role counts as granted when the role gets what the authorised identity gets, or
when it can do the same with an object of its own: that somebody else's object is refused to it says
nothing about the operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from withstand.client.exchange import Exchange
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.accounts import changes_the_caller
from withstand.scan.access.granted import Attempt, attempt, same_kind, to_nowhere
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located, read_back
from withstand.scan.access_matrix import ANONYMOUS, Access, AccessCell, AccessRow
from withstand.scan.check import Steps, send
from withstand.scan.subject import Baseline, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A row of the access matrix, and the exchange behind each column that was served."""

    row: AccessRow
    exchanges: Mapping[str, Exchange]


def observe(subject: Subject) -> Steps[Observed]:
    """The row of the subject's operation."""
    assert subject.operation is not None, "a row is one operation's"
    attempts: dict[str, Attempt] = {}
    for column, identity in _columns(subject).items():
        attempts[column] = yield from _attempt(subject, identity)
    cells = tuple(
        AccessCell(
            column=column,
            observed=tried.access,
            expected=expected(subject, subject.operation, column),
            reason=tried.reason,
        )
        for column, tried in attempts.items()
    )
    return Observed(
        row=AccessRow(operation=subject.operation.key, cells=cells),
        exchanges={
            column: tried.exchange
            for column, tried in attempts.items()
            if tried.access is Access.GRANTED and tried.exchange is not None
        },
    )


def unobserved(subject: Subject, reason: str) -> AccessRow:
    """The row of an operation that could not be asked, and why."""
    assert subject.operation is not None, "a row is one operation's"
    return AccessRow(
        operation=subject.operation.key,
        cells=tuple(
            AccessCell(
                column=column,
                observed=Access.UNCLEAR,
                expected=expected(subject, subject.operation, column),
                reason=reason,
            )
            for column in _columns(subject)
        ),
    )


def expected(subject: Subject, operation: Operation, column: str) -> bool | None:
    """Whether a column may use an operation, by the configuration and else the document; None where
    neither says.
    """
    if subject.policy.is_public(operation):
        return True
    roles = subject.policy.allowed_roles(operation)
    if roles is not None:
        return column in roles
    if column == ANONYMOUS and operation.requires_credential:
        return False
    return None


def _columns(subject: Subject) -> dict[str, Identity | None]:
    """The anonymous caller, and the first identity of each role."""
    found: dict[str, Identity | None] = {ANONYMOUS: None}
    for identity in subject.identities:
        if identity.credential is not None:
            found.setdefault(identity.role, identity)
    return found


def _attempt(subject: Subject, identity: Identity | None) -> Steps[Attempt]:
    baseline = subject.baseline
    assert baseline is not None, "without a baseline there is nothing to compare with"
    if baseline.identity is None:
        return _granted(baseline.exchange, "it answers without a credential")
    if identity is None:
        return (yield from attempt(subject, baseline, lambda bare: bare))
    owner = subject.identity(baseline.identity)
    if owner.role == identity.role:
        return _granted(baseline.exchange, f"it answered {baseline.exchange.status}")
    operation = baseline.operation
    if changes_the_caller(operation, subject.builder.slots(operation)):
        reason = "it changes accounts, which only a throw-away user may try"
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=reason)
    if not operation.path_parameters:
        return (yield from _as_it_is(subject, baseline, identity))
    own = yield from _with_own_object(subject, baseline, identity)
    if own.access is Access.GRANTED:
        return own
    others = yield from _as_it_is(subject, baseline, identity)
    if others.access is Access.GRANTED or own.access is Access.UNCLEAR:
        return others
    return own


def _as_it_is(subject: Subject, baseline: Baseline, identity: Identity) -> Steps[Attempt]:
    """The request of the baseline; a list without a row tells nothing of a role's rights."""
    tried = yield from attempt(subject, baseline, identity.authorize, by_shape=True)
    if tried.access is Access.GRANTED and tried.nothing:
        reason = "it answered with nothing in it, as to the authorised identity"
        return replace(tried, access=Access.UNCLEAR, reason=reason)
    return tried


def _with_own_object(subject: Subject, baseline: Baseline, identity: Identity) -> Steps[Attempt]:
    """The operation on an object that the identity created itself."""
    operation = baseline.operation
    made = yield from create(subject, operation, by=identity)
    if not isinstance(made, Made):
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=made)
    try:
        built = located(subject, operation, made, identity)
    except Unbuildable as problem:
        return Attempt(access=Access.UNCLEAR, exchange=None, reason=problem.reason)
    exchange = yield from send(identity.authorize(built.request))
    response, usual = exchange.response, baseline.exchange.response
    if response is None or usual is None or response.status >= 500:
        return Attempt(
            access=Access.UNCLEAR, exchange=exchange, reason=f"it answered {exchange.status}"
        )
    if subject.refused(response):
        return Attempt(
            access=Access.REFUSED, exchange=exchange, reason=f"it answered {response.status}"
        )
    if not response.succeeded or not same_kind(usual, response):
        reason = f"it answered {response.status}, unlike what the authorised identity gets"
        return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
    if operation.removes:
        after = yield from read_back(subject, operation, made, identity)
        if after is not None and after.succeeded:
            reason = f"it answered {response.status}, but the object is still there"
            return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
    if (yield from to_nowhere(subject, exchange)):
        reason = "the API gives the same answer at a path that does not exist"
        return Attempt(access=Access.UNCLEAR, exchange=exchange, reason=reason)
    return _granted(exchange, f"it answered {response.status} for an object of its own")


def _granted(exchange: Exchange, reason: str) -> Attempt:
    return Attempt(access=Access.GRANTED, exchange=exchange, reason=reason)
