"""Which operations need a credential, by the document, the policy and who was served. Pure."""

from withstand.openapi.operation import Operation
from withstand.openapi.spoken import only_reads
from withstand.scan.subject import Baseline, Subject


def guarded_reads(subject: Subject) -> tuple[Baseline, ...]:
    """The GET baselines that needed a credential, the canary first."""
    found = [
        baseline
        for baseline in subject.baselines.values()
        if baseline.identity is not None
        and baseline.operation.method == "GET"
        and baseline.operation.is_read
        and not subject.policy.is_public(baseline.operation)
    ]
    if subject.canary is not None:
        key = subject.canary.operation.key
        found = [subject.canary, *(b for b in found if b.operation.key != key)]
    return tuple(found)


def is_guarded(subject: Subject, operation: Operation) -> bool:
    """Whether an operation needs a credential: it is said so, or a read served only identities.

    Many documents declare no security at all; what anonymous callers were refused tells as well.
    """
    if operation.requires_credential or subject.policy.allowed_roles(operation) is not None:
        return True
    baseline = subject.baselines.get(operation.key)
    reads = operation.is_read or only_reads(operation)
    return reads and baseline is not None and baseline.identity is not None
