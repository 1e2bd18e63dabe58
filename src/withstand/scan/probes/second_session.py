"""A session of an identity beside its first, for a check that ends it."""

from typing import Final

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Credential, Identity
from withstand.scan.check import LogIn, Pause, Steps, send
from withstand.scan.subject import Subject

_SECOND_S: Final = 1.1  # two tokens of one second may be one and the same


def second_session(subject: Subject) -> Steps[tuple[Identity, Credential] | None]:
    """The throw-away user, or else the first identity that can log in, logged in once more."""
    everybody = (subject.throwaway,) if subject.throwaway is not None else subject.identities
    for who in everybody:
        if who.credential is None:
            continue
        spare: Credential | None = yield LogIn(identity=who.name)
        if spare is not None and same_credential(spare, who.credential):
            yield Pause(seconds=_SECOND_S)
            spare = yield LogIn(identity=who.name)
        if spare is not None:
            return who, spare
    return None


def same_credential(one: Credential, other: Credential) -> bool:
    """Whether requests are the same with either."""
    nothing = Request(method="GET", path="/")
    return one.apply(nothing) == other.apply(nothing)


def restored(who: Identity, read: Exchange) -> Steps[None]:
    """Where the logout ended every session, the scan goes on with a new one."""
    still = yield from send(who.authorize(read.request))
    if not still.succeeded:
        yield from kept(who, read)


def kept(who: Identity, read: Exchange) -> Steps[None]:
    """The scan goes on with a new session, one in which the read works."""
    for _ in range(2):
        credential: Credential | None = yield LogIn(identity=who.name, keep=True)
        if credential is None:
            continue
        works = yield from send(credential.apply(read.request))
        if works.succeeded:
            return
        # What a logout of this second ended, it ends for this second.
        yield Pause(seconds=_SECOND_S)
