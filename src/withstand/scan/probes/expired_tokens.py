"""Tokens that have expired: one that lives so short that it can be waited for, or one written with
a key that was guessed. Sub-generators for checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from withstand.client.identity import Credential, Identity
from withstand.client.login_recipe import LoginRecipe
from withstand.scan.access.granted import Access, owner_of
from withstand.scan.check import (
    Inconclusive,
    LogIn,
    Pause,
    Skipped,
    Steps,
    send,
    shown,
)
from withstand.scan.finding import Evidence
from withstand.scan.probes.forging import guessed_key, token_of, tried_with, without_token
from withstand.scan.probes.tokens import issued_for_s, redated
from withstand.scan.subject import Baseline, Subject

LONGEST_WAIT_S: Final = 300.0
_UNASKED_WAIT_S: Final = 150.0
"""The same where nobody asked for such a token: a minute, and what clocks may be off."""
_HOUR_S: Final = 3600
"""Longer than any clock is off."""

Reads = tuple[Baseline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Expired credentials by identity, and what shows that they were good, or would be.

    `written`: they are the scan's own work, which is shown to nobody.
    """

    credentials: Mapping[str, Credential] = field(repr=False)
    proof: tuple[Evidence, ...] = ()
    written: bool = False


def may_be_waited_for(subject: Subject, reads: Reads) -> bool:
    """Whether the login gives a token that expires soon: by `short_lived`, or of itself."""
    login = subject.login
    if login is not None and login.short_lived is not None:
        return True
    owners = [owner for each in reads if (owner := owner_of(subject, each)) is not None]
    return bool(owners) and all(_lives_short(owner, owner.login or login) for owner in owners)


def _lives_short(owner: Identity, login: LoginRecipe | None) -> bool:
    held = owner.credential
    if login is None or held is None or held.token is None:
        return False
    lives_s = _lifetime_s(held, replace(login, short_lived=None))
    return lives_s is not None and lives_s + login.leeway_s < _UNASKED_WAIT_S


def waited_for(subject: Subject, reads: Reads) -> Steps[Expired | Inconclusive | Skipped | None]:
    """Tokens that were accepted, after their expiry; None where the login gives none."""
    expired: dict[str, Credential] = {}
    proof: list[Evidence] = []
    wait_s = 0.0
    for name in dict.fromkeys(baseline.identity for baseline in reads):
        login = subject.identity(name or "").login or subject.login
        asks = login is not None and login.short_lived is not None
        credential: Credential | None = yield LogIn(identity=name or "", short_lived=asks)
        if login is None or credential is None or credential.token is None:
            continue
        baseline = next(b for b in reads if b.identity == name)
        accepted = yield from send(credential.apply(subject.stripped(baseline.exchange.request)))
        if not accepted.succeeded:
            return Inconclusive(
                reason=f"the short-lived token was refused at once ({accepted.status}): "
                "let it live a second or two longer"
            )
        lifetime_s = _lifetime_s(credential, login)
        if lifetime_s is None:
            return Inconclusive(
                reason="the token does not say when it expires, nor does short_lived"
            )
        expired[name or ""] = credential
        proof.append(shown("Before its expiry the token is accepted", accepted))
        wait_s = max(wait_s, lifetime_s + login.leeway_s + 1.0)
    if not expired:
        return None
    if wait_s > LONGEST_WAIT_S:
        return Skipped(
            reason=f"the shortest token lives {wait_s:.0f} s with its leeway, longer than the "
            f"{LONGEST_WAIT_S:.0f} s that a scan waits: ask for less in short_lived under [login]"
        )
    yield Pause(seconds=wait_s)
    return Expired(credentials=expired, proof=tuple(proof[:1]))


def _lifetime_s(credential: Credential, login: LoginRecipe) -> float | None:
    """How long the token lives from now on: by itself, else by what the login asked for."""
    told_s = issued_for_s(credential.token or "")
    if told_s is not None:
        return max(0.0, told_s)
    if login.short_lived is None:
        return credential.lifetime_s
    numbers = [float(v) for v in login.short_lived.values() if isinstance(v, int | float)]
    return max(numbers, default=None)


def guessed_keys(subject: Subject, reads: Reads) -> Mapping[str, bytes]:
    """The key of each identity's tokens, where one can be guessed."""
    found = {}
    for baseline in reads:
        owner = owner_of(subject, baseline)
        if owner is not None and owner.name not in found:
            secret = guessed_key(subject, token_of(subject, baseline))
            if secret is not None:
                found[owner.name] = secret.encode()
    return found


def backdated(subject: Subject, reads: Reads) -> Steps[Expired | Inconclusive]:
    """Tokens that say that they expired an hour ago; one that says otherwise must be accepted."""
    now_s = int(subject.now_s or 0)
    expired: dict[str, Credential] = {}
    proof: list[Evidence] = []
    for name, key in guessed_keys(subject, reads).items():
        baseline = next(b for b in reads if b.identity == name)
        owner = owner_of(subject, baseline)
        assert owner is not None, "guarded reads have an owner"
        assert owner.credential is not None, "who has a token has a credential"
        token = token_of(subject, baseline)
        good = redated(token, key, issued_s=now_s - 60, expires_s=now_s + _HOUR_S)
        tried = yield from tried_with(subject, baseline, good)
        if tried.access is not Access.GRANTED or tried.exchange is None:
            return Inconclusive(
                reason=f"a token of {name} that was written with the guessed key is not accepted"
            )
        made = without_token(tried.exchange, good)
        proof.append(shown("Written with the guessed key, a token that is valid works", made))
        old = redated(token, key, issued_s=now_s - 2 * _HOUR_S, expires_s=now_s - _HOUR_S)
        expired[name] = owner.credential.with_token(old)
    return Expired(credentials=expired, proof=tuple(proof[:1]), written=True)
