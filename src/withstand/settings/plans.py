"""Settings and flags → the plans that the workflows take."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from withstand.client.documented import NOTHING_DOCUMENTED
from withstand.client.identity import Identity
from withstand.client.login_recipe import LoginRecipe
from withstand.client.target import Target
from withstand.errors import RunVoid, UsageError
from withstand.openapi.operation import Api
from withstand.scan.check import Check
from withstand.scan.finding import Severity
from withstand.scan.groundwork.documented_login import documented_login
from withstand.scan.plan import Deprovision, Provision, ScanPlan
from withstand.scan.policy import Profile
from withstand.settings import Settings
from withstand.settings.approved_access import read_approved, require_known_roles
from withstand.sharding import Shard
from withstand.slo import Objective, parse_named_objective, parse_objective
from withstand.workflows import fetch_document, nonce, read_document_file
from withstand.workflows.provision import deprovisioned, provisioned


def scan_plan(
    settings: Settings,
    target: Target,
    api: Api,
    *,
    checks: tuple[Check, ...] = (),
    provoking: tuple[Check, ...] = (),
    profile: str | None = None,
    fail_on: str | None = None,
    approves: bool = False,
    shard: Shard | None = None,
) -> ScanPlan:
    """The scan that the settings describe; flags win over them. One that `approves` what it sees
    is not held against what was approved before. Raises UsageError.
    """
    file = settings.approved_file
    policy = replace(settings.policy(), approved=None if approves else read_approved(file))
    if profile is not None:
        policy = replace(policy, profile=Profile(profile))
    if fail_on is not None:
        policy = replace(policy, fail_on=Severity(fail_on))
    documented = documented_login(api)
    login, identities = settings.login(documented), settings.identities(documented)
    if login is None:  # a file of the Web Fuzzing Commons has a login for each
        own = (each.login for each in identities if each.login is not None)
        login = next((each for each in own if not isinstance(each.payload, str)), None)
    refuse_homeless(identities, login)
    if policy.approved is not None and any(check.reads_access for check in checks):
        require_known_roles(file, policy.approved, (identity.role for identity in identities))
    provision, deprovision = hooks_of(settings)
    return ScanPlan(
        api=api,
        target=target,
        policy=policy,
        checks=checks,
        provoking=provoking,
        nonce=nonce,
        identities=identities,
        login=login,
        canary=settings.canary,
        provision=provision,
        deprovision=deprovision,
        plain_target=settings.plain_target(),
        expired_token=settings.expired_token,
        public_key=settings.public_key(),
        budget=settings.budget(),
        given=settings.given_values(),
        timeout_s=settings.timeout_s,
        connect_timeout_s=settings.connect_timeout_s,
        shard=shard,
    )


def people_for(
    settings: Settings, target: Target
) -> tuple[tuple[Identity, ...], LoginRecipe | None]:
    """Everybody and their login, with what the document says where the settings leave it open.

    For journeys that need no document otherwise: where it cannot be read, it says nothing. Raises
    UsageError.
    """
    documented = NOTHING_DOCUMENTED
    if settings.wants_document:
        with suppress(UsageError, RunVoid):
            documented = documented_login(api_for(settings, target))
    return settings.identities(documented), settings.login(documented)


def refuse_homeless(identities: tuple[Identity, ...], login: LoginRecipe | None) -> None:
    """Raises UsageError naming who has neither a credential nor a login, and what is missing."""
    lost = [
        identity.name
        for identity in identities
        if identity.credential is None and identity.login is None and login is None
    ]
    if lost:
        raise UsageError(
            f"nothing says how to log in as {' and '.join(lost)}: there is no request under "
            "[login], and the document describes no login that takes a password",
            hint='add request = "POST /login" and json = { email = "{email}", password = '
            '"{password}" } under [login], or give a token to each identity',
        )


def hooks_of(settings: Settings) -> tuple[Provision | None, Deprovision | None]:
    """What makes and what removes users of the scan's own, where that is configured."""
    table = settings.tables.login
    if table is None or table.provision is None:
        return None, None
    command, undo = table.provision, table.deprovision
    here = Path(settings.directory)
    return (
        lambda: provisioned(command, here),
        None if undo is None else lambda fields: deprovisioned(undo, fields, here),
    )


def api_for(settings: Settings, target: Target) -> Api:
    """The API of the settings' document. Raises UsageError or TargetUnreachable."""
    if settings.document_file is not None:
        return read_document_file(Path(settings.document_file))
    return fetch_document(settings.openapi_location, target)


def objectives_for(settings: Settings, texts: tuple[str, ...]) -> tuple[Objective, ...]:
    """The objectives of the flags, or of the configuration when no flag gives any.

    A flag's text may name its operation: `GET /users: p95<200ms`. Raises UsageError.
    """
    if texts:
        return tuple(parse_named_objective(text) for text in texts)
    return tuple(
        parse_objective(text, operation=operation)
        for operation, wanted in settings.objective_texts().items()
        for text in wanted
    )
