"""Who may use an operation, and who may not: by `[access]`, else by scopes. Pure."""

from dataclasses import dataclass

from withstand.client.identity import Identity, jwt_claims
from withstand.scan.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Somebody who may use the operation, one of each role that may not, and who said so."""

    allowed: Identity | None
    lower: tuple[Identity, ...]
    said: str


def rights_of(subject: Subject) -> Rights | None:
    """Who may use the operation: by [access], else by the scopes that the document wants."""
    assert subject.operation is not None, "runs once for each operation"
    roles = subject.policy.allowed_roles(subject.operation)
    present = [i for i in subject.identities if i.credential is not None]
    if roles is not None:
        may = [i for i in present if i.role in roles]
        lower = [i for i in present if i.role not in roles]
        said = " and ".join(roles)
    else:
        wanted = set(subject.operation.scopes)
        granted = {i.name: _granted(i) for i in present}
        if not wanted or all(scopes is None for scopes in granted.values()):
            return None
        may = [i for i in present if wanted <= (granted[i.name] or frozenset())]
        lower = [i for i in present if _lacks(granted[i.name], wanted)]
        said = f"who was granted {' and '.join(sorted(wanted))}"
        if not may or not lower:
            return None
    owner = subject.owner
    allowed = next((i for i in may if owner is not None and i.name == owner.name), None)
    one_a_role = {identity.role: identity for identity in reversed(lower)}
    ordered = sorted(one_a_role.values(), key=lower.index)
    return Rights(allowed=allowed or next(iter(may), None), lower=tuple(ordered), said=said)


def _lacks(granted: frozenset[str] | None, wanted: set[str]) -> bool:
    """Whether somebody's scopes are known and none of them is wanted, or may stand for many."""
    return granted is not None and not any(scope in wanted or "*" in scope for scope in granted)


def _granted(identity: Identity) -> frozenset[str] | None:
    """The scopes in somebody's token (RFC 8693, 4.2, and what others call them); None if untold."""
    token = identity.credential.token if identity.credential is not None else None
    claims = jwt_claims(token) if token else None
    for name in ("scope", "scp", "scopes", "permissions"):
        value = claims.get(name) if claims else None
        if isinstance(value, str):
            return frozenset(value.split())
        if isinstance(value, list):
            return frozenset(map(str, value))
    return None
