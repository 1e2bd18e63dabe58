"""The subject of a check: an operation, and all that the scan knows by now around it."""

from withstand.openapi.operation import Operation
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Courier


def subject_of(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation | None
) -> Subject:
    """What is shown of an operation, or of the whole API; its row of the access matrix is not."""
    return Subject(
        api=plan.api,
        target=plan.target,
        policy=plan.policy,
        identities=tuple(ground.identities.values()),
        throwaway=ground.throwaway,
        builder=ground.builder,
        pools=ground.pools,
        nonce=plan.nonce,
        operation=operation,
        baseline=ground.baselines.get(operation.key) if operation else None,
        baselines=ground.baselines,
        canary=ground.canary,
        observed=tuple(courier.logbook.observed),
        login=plan.login,
        plain_target=plan.plain_target,
        expired_token=plan.expired_token,
        public_key=plan.public_key,
        loopback=plan.target.is_loopback,
        now_s=courier.now_s(),
        refusals=frozenset(ground.refusals),
        spared=ground.spared,
        stalling=ground.stalling,
    )
