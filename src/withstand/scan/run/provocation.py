"""Answers for checks that only look, where the checks that lead to such answers are not run."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from withstand.openapi.operation import Operation
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import go_on_with
from withstand.scan.plan import ScanPlan
from withstand.scan.run.bounds import out_of_bounds
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.driver import judge


async def provoke(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operations: Iterable[Operation],
    subject_of: Callable[[Operation], Subject],
) -> None:
    """Runs the provoking checks of the plan; what they come to is nobody's question."""
    for operation in operations:
        courier.place = operation.key
        for check in plan.provoking:
            if out_of_bounds(plan, ground, check, operation) is not None:
                continue
            subject = subject_of(operation)
            if subject.baseline is None:
                subject = replace(subject, baseline=ground.refused.get(operation.key))
            await judge(check, subject, courier)
            go_on_with(ground, courier)
