"""Which operation logs its caller out, and whether its answer says that it did. Pure."""

from withstand.client.exchange import Response
from withstand.client.soft_errors import says_no
from withstand.openapi.operation import Operation
from withstand.scan.answers.session_end import logout_rank
from withstand.scan.policy import matches
from withstand.scan.subject import Subject


def logout_operations(subject: Subject) -> tuple[Operation, ...]:
    """The operations that end the caller's session, the plainest first.

    `POST /logout` and the like by path or operation id, `DELETE /session` and its kin, and what
    revokes a token. The deny words do not count here; what is listed under never does.
    """
    ranked = [
        (rank, operation)
        for operation in subject.api.operations
        if (rank := logout_rank(operation)) is not None
        and not operation.path_parameters
        and not any(matches(pattern, operation.key) for pattern in subject.policy.never)
    ]
    return tuple(operation for _, operation in sorted(ranked, key=lambda pair: pair[0]))


def ended(response: Response) -> bool:
    """Whether the answer to a logout says that the session is over.

    A redirect does where it sets a cookie, which is how websites forget theirs.
    """
    if 300 <= response.status < 400:
        return bool(response.header_values("set-cookie"))
    return response.succeeded and not says_no(response)
