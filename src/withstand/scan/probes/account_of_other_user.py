"""Whether one user changes the account of another, who signed up for it."""

from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.accounts import new_password
from withstand.scan.access.users import (
    NewUser,
    accounts_of,
    change_shown,
    located_account,
    logs_in,
    new_user,
)
from withstand.scan.check import (
    PASSED,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Steps,
    attack,
    send,
    shown,
)
from withstand.scan.subject import Subject


def change_account_of_other(
    subject: Subject, write: Operation, stranger: Identity
) -> Steps[Outcome]:
    """The account of a user signed up for it, changed by somebody else."""
    victim = yield from new_user(subject)
    if not isinstance(victim, NewUser):
        return Inconclusive(reason=f"no user of the scan's own: {victim}")
    views = yield from accounts_of(subject, victim, write)
    if not views:
        return Inconclusive(reason="no operation shows a user their own account")
    password = new_password(subject.nonce())
    try:
        built = located_account(subject, write, victim, password)
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    tried = yield from send(stranger.authorize(built.request))
    if tried.response is None or tried.response.status >= 500:
        return Inconclusive(reason=f"it answered {tried.status} instead of refusing")
    if not tried.succeeded or subject.refused(tried.response):
        if tried.status in {401, 403, 404} or tried.succeeded:
            return PASSED
        control = yield from send(victim.identity.authorize(built.request))
        if control.succeeded:
            return PASSED
        return Inconclusive(reason=f"it answered {tried.status}, and the owner {control.status}")
    seen = yield from change_shown(views, built.canaries)
    before = views[0] if seen is None else seen[0]
    evidence = [
        shown("A user of the scan's own reads their account", before),
        attack(f"Sent by {stranger.name}", tried),
    ]
    if seen is not None:
        evidence.append(shown("The user reads it again", *seen[1:]))
        said = "that user reads the change"
    elif password in built.values.values() and (yield from logs_in(victim, password)):
        said = "the password that was sent now logs in as that user"
    else:
        return Passed(note=f"it answered {tried.status}, and the account has not changed")
    return Failed(
        detail=f"{stranger.name} changes the account of another user: it answered {tried.status}, "
        f"and {said}.",
        evidence=tuple(evidence),
    )
