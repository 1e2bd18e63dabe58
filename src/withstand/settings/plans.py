"""Settings and flags → the plans that the workflows take."""

from dataclasses import replace
from pathlib import Path

from withstand.client.target import Target
from withstand.openapi.operation import Api
from withstand.scan.check import Check
from withstand.scan.finding import Severity
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Profile
from withstand.settings import Settings
from withstand.settings.approved_access import read_approved
from withstand.slo import Objective, parse_named_objective, parse_objective
from withstand.workflows import fetch_document, nonce, read_document_file


def scan_plan(
    settings: Settings,
    target: Target,
    api: Api,
    *,
    checks: tuple[Check, ...] = (),
    profile: str | None = None,
    fail_on: str | None = None,
) -> ScanPlan:
    """The scan that the settings describe; flags win over them."""
    policy = replace(settings.policy(), approved=read_approved(settings.approved_file))
    if profile is not None:
        policy = replace(policy, profile=Profile(profile))
    if fail_on is not None:
        policy = replace(policy, fail_on=Severity(fail_on))
    return ScanPlan(
        api=api,
        target=target,
        policy=policy,
        checks=checks,
        nonce=nonce,
        identities=settings.identities(),
        login=settings.login(),
        plain_target=settings.plain_target(),
        expired_token=settings.expired_token,
        budget=settings.budget(),
        given=settings.given_values(),
        timeout_s=settings.timeout_s,
        connect_timeout_s=settings.connect_timeout_s,
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
