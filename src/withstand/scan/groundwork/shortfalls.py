"""What a scan lacks to test everything, in sentences that its reader must not miss. Pure."""

from collections.abc import Iterator

from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan


def shortfalls(plan: ScanPlan, ground: Groundwork) -> Iterator[str]:
    """A sentence for each thing that is missing, with what would mend it."""
    roles = [identity.role for identity in plan.identities]
    if not roles:
        yield (
            "No identity is configured: only what an anonymous caller sees was tested. "
            "Add [login] and [identities] to withstand.toml."
        )
    elif len(roles) == len(set(roles)):
        yield (
            "No second identity of one role is configured, so cross-user access was not "
            "tested. Add another under [identities]."
        )
    if len(set(roles)) > 1 and not plan.policy.access:
        yield (
            "No operation has its roles named under [access], so it was not tested whether a "
            "lower role may use what is meant for a higher one. Add, for example, "
            '"DELETE /admin/users/{id}" = ["admin"].'
        )
    if roles and not any(operation.security for operation in plan.api.operations):
        yield (
            "The document does not say which operations need a credential (security), so "
            "missing credentials could not be judged. Declare it, or name roles under [access]."
        )
    if roles and ground.canary is None:
        yield (
            "No operation tells a logged-in identity from an anonymous one, so the health of "
            "the identities could not be watched."
        )
    for key, reason in ground.missing.items():
        if not reason.startswith("not called"):
            yield f"{key} was not tested: {reason}."
