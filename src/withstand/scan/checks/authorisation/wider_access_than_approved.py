"""An operation serves somebody to whom the team's approved file does not open it."""

from withstand.client.exchange import Request, Response
from withstand.scan.access.role_access import observe
from withstand.scan.access_matrix import ANONYMOUS, AccessRow, Approved, opened
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import FORBIDDEN, UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    if subject.policy.approved is None:
        return not_applicable("no approved file says who may use it (`withstand access --approve`)")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    approved = subject.policy.approved
    assert approved is not None, "applies() saw to it"
    assert subject.operation is not None, "runs once for each operation"
    if subject.access is not None and not opened(subject.access, approved):
        return _as_approved(subject.access)
    # What differs is asked anew, so that the finding rests on exchanges of its own.
    observed = yield from observe(subject)
    wider = opened(observed.row, approved)
    if not wider:
        return _as_approved(observed.row)
    key = subject.operation.key
    evidence = tuple(
        shown(f"Sent {_by(column)}", observed.exchanges[column])
        for column in wider
        if column in observed.exchanges
    )
    return Failed(
        detail=f"{_change(key, wider, approved)} If that is meant, approve it: "
        "`withstand access --approve`.",
        evidence=evidence,
        severity=None if ANONYMOUS in wider or key in approved else Severity.MEDIUM,
    )


def _as_approved(row: AccessRow) -> Outcome:
    return PASSED if row.known else Passed(note="nobody was seen to be served")


def _change(key: str, wider: tuple[str, ...], approved: Approved) -> str:
    now = f"it is now open to {' and '.join(wider)}"
    if key not in approved:
        return f"The operation is new, and {now.replace('now ', '')}."
    before = ", ".join(approved[key]) or "nobody"
    return f"It was approved for {before}; {now} too."


def _by(column: str) -> str:
    return "without a credential" if column == ANONYMOUS else f"as the role {column}"


def _server(*, only_admins: bool) -> Server:
    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if only_admins and name != "root":
            return FORBIDDEN
        return answer(200, {"revenue": 128_000, "currency": "EUR", "by": ["Ada", "Grace"]})

    return server


def vulnerable() -> Server:
    return _server(only_admins=False)


def safe() -> Server:
    return _server(only_admins=True)


CHECK = Check(
    name="wider-access-than-approved",
    title="An operation is open to more callers than the team approved",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(284, 862), owasp=("API5:2023",), asvs=("8.1.1", "8.2.1"), wstg=("WSTG-ATHZ-02",)
    ),
    explanation=(
        "Access rules are rarely broken on purpose: a decorator is lost in a refactoring, a router "
        "is mounted without its guard, a new endpoint copies an open one. The scan asks every "
        "operation as an anonymous caller and as one identity of each role, and shows who was "
        "served as the access matrix. `withstand access --approve` writes that into a small file "
        "of your repository; from then on an operation that serves somebody whom the file does not "
        "name is a finding, and so is a new operation, until somebody approves the change. What "
        "becomes narrower is only noted."
    ),
    remedy=(
        "Restore the guard that kept the caller out. If the change is meant, run `withstand access "
        "--approve` and commit the file: its one-line diff is then reviewed with the code."
    ),
    run=run,
    applies=applies,
    reads_access=True,
    example=Example(
        paths={"/reports/revenue": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        policy={
            "access": {"GET /reports/revenue": ("admin", "user")},
            "approved": {"GET /reports/revenue": ("admin",)},
        },
    ),
)
