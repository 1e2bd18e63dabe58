"""Sending a token in the place of a real one, and seeing whether it is believed. Sub-generators."""

from withstand.client.exchange import Exchange
from withstand.client.identity import jwt_claims
from withstand.client.masking import Mask
from withstand.scan.access.granted import Attempt, attempt, owner_of
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.check import Steps
from withstand.scan.policy import Profile
from withstand.scan.probes.tokens import is_jwt
from withstand.scan.probes.weak_secrets import guessed_secret
from withstand.scan.subject import Baseline, Subject


def jwt_reads(subject: Subject) -> tuple[Baseline, ...]:
    """The GET baselines that needed a credential which is a JSON Web Token, the canary first."""
    return tuple(b for b in guarded_reads(subject) if is_jwt(token_of(subject, b)))


def token_of(subject: Subject, baseline: Baseline) -> str:
    """The token that a baseline was sent with; empty without one."""
    owner = owner_of(subject, baseline)
    return (owner.credential.token or "") if owner is not None and owner.credential else ""


def guessed_key(subject: Subject, token: str) -> str | None:
    """The key that signs a token, when it is a common word, a short number or what the API calls
    itself.
    """
    claims = jwt_claims(token) or {}
    named = [subject.api.title, subject.target.host, claims.get("iss"), claims.get("aud")]
    names = tuple(name[:80] for name in named if isinstance(name, str) and name)
    thoroughly = subject.policy.profile is Profile.ABUSE
    return guessed_secret(token, names, thoroughly=thoroughly)


def tried_with(subject: Subject, baseline: Baseline, token: str) -> Steps[Attempt]:
    """Sends a baseline's request with another token where its own one was."""
    owner = owner_of(subject, baseline)
    assert owner is not None, "guarded reads have an owner"
    assert owner.credential is not None, "who has a token has a credential"
    return (yield from attempt(subject, baseline, owner.credential.with_token(token).apply))


def without_token(exchange: Exchange, token: str) -> Exchange:
    """The exchange with a forged token masked: one that is believed is as good as a real one."""
    return Mask({token: "$WITHSTAND_FORGED_TOKEN"}).exchange(exchange)
