"""A scan of a made-up shop: findings, gaps, and coverage of every kind."""

from withstand.client.exchange import (
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    Timing,
    json_request,
)
from withstand.scan.finding import Confidence, Evidence, Finding, Severity
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord

BASE_URL = "http://127.0.0.1:8000"
HOSTILE_BODY = (
    "<!doctype html><script>document.title='owned';throw new Error('the body ran')</script>"
    "</script><img src=x onerror=\"document.title='owned'\"><!-- <script> \u202e{{ 7*7 }}\x1b[31m"
)
OPERATIONS = (
    "POST /auth/login",
    "GET /users",
    "GET /users/{id}",
    "PATCH /users/{id}",
    "GET /orders",
    "POST /orders",
    "GET /orders/{id}",
    "DELETE /orders/{id}",
    "GET /products",
    "GET /products/{id}",
    "GET /admin/reports/{year}/{month}/by-region-and-sales-channel",
    "GET /health",
)
CHECKS = (
    "anonymous-access",
    "broken-token-accepted",
    "bola-read",
    "bola-write",
    "mass-assignment",
    "sql-injection",
    "error-discloses-internals",
    "login-unlimited",
)
API_CHECKS = ("cors-reflects-origin", "version-disclosed")


def scan() -> ScanRecord:
    """Six findings, one of them with a hostile body, and coverage with every kind of cell."""
    return ScanRecord(
        findings=findings(),
        coverage=coverage(),
        operations=OPERATIONS,
        identities=(("alice", "user"), ("root", "admin")),
        requests=1_284,
        duration_s=29.4,
        notes=(
            "No second identity of the role user is configured, so cross-user access "
            "was not tested.",
            "The document describes no response of GET /health, so its shape was not compared.",
        ),
    )


def coverage() -> tuple[Coverage, ...]:
    """Cells that agree with the findings."""
    failed = {
        (finding.check, operation) for finding in findings() for operation in finding.operations
    }
    cells = [_cell(check, operation, failed) for operation in OPERATIONS for check in CHECKS]
    cells += [
        Coverage(check="cors-reflects-origin", operation=None, state=CoverageState.PASSED),
        Coverage(check="version-disclosed", operation=None, state=CoverageState.FAILED),
    ]
    return tuple(cells)


def _cell(check: str, operation: str, failed: set[tuple[str, str]]) -> Coverage:
    state, reason = CoverageState.PASSED, ""
    if (check, operation) in failed:
        state = CoverageState.FAILED
    elif check == "bola-write":
        state = CoverageState.SKIPPED
        reason = "No second identity of the role user is configured: add one under [identities]"
    elif check == "login-unlimited" and operation != "POST /auth/login":
        state, reason = CoverageState.SKIPPED, "the operation takes no credentials"
    elif check == "mass-assignment" and operation.startswith(("GET", "DELETE")):
        state, reason = CoverageState.SKIPPED, "the operation takes no body"
    elif check == "sql-injection" and operation == "GET /orders":
        state = CoverageState.INCONCLUSIVE
        reason = "the target gave no usable answer, twice: 503 Service Unavailable"
    elif "admin" in operation and check == "bola-read":
        state = CoverageState.INCONCLUSIVE
        reason = "no request to this operation succeeds: 404 for every known year and month"
    return Coverage(check=check, operation=operation, state=state, reason=reason)


def findings() -> tuple[Finding, ...]:
    """From critical to info, certain to tentative."""
    return (
        Finding(
            check="bola-read",
            title="One user reads another user's objects",
            severity=Severity.HIGH,
            confidence=Confidence.CERTAIN,
            operations=("GET /orders/{id}",),
            parameter="id",
            detail="alice was given order 7, which root created and alice may not see: the "
            "answer carries the marker that root had put into it.",
            remedy="Look the order up among the caller's own (WHERE id = ? AND owner = ?), and "
            "answer 404 where there is none.",
            evidence=(
                evidence(
                    "root creates an order with a marker in its note",
                    json_request("POST", "/orders", {"product": 3, "note": "ws5fb0c1"}),
                    Response(
                        status=201,
                        reason="Created",
                        headers=(("Content-Type", "application/json"),),
                        body=b'{"id": 7, "product": 3, "note": "ws5fb0c1", "owner": "root"}',
                    ),
                    identity="root",
                ),
                evidence(
                    "alice reads it",
                    Request(method="GET", path="/orders/7"),
                    Response(
                        status=200,
                        reason="OK",
                        headers=(("Content-Type", "application/json"), ("Server", "uvicorn")),
                        body=b'{"id": 7, "product": 3, "note": "ws5fb0c1", "owner": "root"}',
                    ),
                    identity="alice",
                    highlight="ws5fb0c1",
                ),
            ),
            references=("CWE-639", "OWASP API1:2023", "ASVS 5.0 8.2.2", "WSTG-ATHZ-04"),
        ),
        Finding(
            check="sql-injection",
            title="A parameter is executed as SQL",
            severity=Severity.CRITICAL,
            confidence=Confidence.FIRM,
            operations=("GET /products",),
            parameter="search",
            detail="A quote in search breaks the statement, two quotes mend it: what the "
            "parameter holds is part of the SQL text.",
            remedy="Bind the value as a parameter of the statement instead of pasting it in.",
            evidence=(
                evidence(
                    "with one quote",
                    Request(method="GET", path="/products?search=" + "A" * 180),
                    Response(
                        status=500,
                        reason="Internal Server Error",
                        headers=(("Content-Type", "text/html"),),
                        body=HOSTILE_BODY.encode(),
                    ),
                    identity="alice",
                ),
                evidence(
                    "the connection ends before the response does",
                    Request(method="GET", path="/products?search=ws%27"),
                    Failure(kind=FailureKind.RESET, detail="connection reset by peer"),
                    identity="alice",
                ),
            ),
            references=("CWE-89", "OWASP API8:2023"),
        ),
        Finding(
            check="anonymous-access",
            title="An operation answers without a credential",
            severity=Severity.HIGH,
            confidence=Confidence.FIRM,
            operations=(
                "GET /admin/reports/{year}/{month}/by-region-and-sales-channel",
                "GET /users",
            ),
            whole_api=True,
            detail="The document asks for a bearer token; without one the answer is the same.",
            remedy="Check the credential before the operation runs; refuse with 401.",
            evidence=(
                evidence(
                    "without a credential",
                    Request(method="GET", path="/users?limit=2"),
                    Response(
                        status=200,
                        reason="OK",
                        headers=(("Content-Type", "application/json"),),
                        body=b'[{"id": 1, "email": "alice@example.com"}, '
                        b'{"id": 2, "email": "root@example.com"}]',
                    ),
                    highlight="root@example.com",
                ),
            ),
            references=("CWE-306", "OWASP API2:2023"),
        ),
        Finding(
            check="login-unlimited",
            title="Logins can be tried without limit",
            severity=Severity.MEDIUM,
            confidence=Confidence.FIRM,
            operations=("POST /auth/login",),
            detail="30 wrong passwords in 2.1 s were all answered with 401; the right one then "
            "still worked.",
            remedy="Slow down or refuse with 429 after about ten failures of one account.",
            evidence=(),
            references=("CWE-307", "OWASP API4:2023"),
        ),
        Finding(
            check="error-discloses-internals",
            title="An error shows a stack trace",
            severity=Severity.MEDIUM,
            confidence=Confidence.TENTATIVE,
            operations=("PATCH /users/{id}",),
            detail="The answer to a malformed body names a file of the server.",
            remedy="Answer errors with a fixed text and keep the trace in the log.",
            evidence=(
                evidence(
                    "a body that is no JSON",
                    Request(
                        method="PATCH",
                        path="/users/1",
                        headers=(("Content-Type", "application/json"),),
                        body=b"\xff\xfe{",
                    ),
                    Response(
                        status=400,
                        reason="Bad Request",
                        headers=(("Content-Type", "text/plain"),),
                        body=b'File "/srv/shop/app/users.py", line 88, in patch_user',
                    ),
                    identity="alice",
                    highlight="/srv/shop/app/users.py",
                ),
            ),
            references=("CWE-209",),
        ),
        Finding(
            check="version-disclosed",
            title="A header names software and version",
            severity=Severity.INFO,
            confidence=Confidence.CERTAIN,
            operations=OPERATIONS,
            detail="Server: uvicorn/0.30.1 on every response.",
            remedy="Leave the header out.",
            evidence=(),
            references=("CWE-200",),
        ),
    )


def evidence(
    caption: str,
    request: Request,
    outcome: Response | Failure,
    *,
    identity: str | None = None,
    highlight: str | None = None,
) -> Evidence:
    """One exchange of a proof, 12.3 ms long."""
    token = "" if identity is None else f' -H "Authorization: Bearer $WITHSTAND_TOKEN_{identity}"'
    return Evidence(
        caption=caption,
        exchange=Exchange(
            request=request,
            outcome=outcome,
            timing=Timing(intended_ns=0, sent_ns=0, first_byte_ns=None, end_ns=12_300_000),
            identity=identity,
        ),
        highlight=highlight,
        curl=f"curl -sS -X {request.method}{token} '{BASE_URL}{request.path}'",
    )
