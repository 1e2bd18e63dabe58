"""A realistic run against a made-up shop: findings, gaps, objectives and ten seconds of load.

Seeded throughout, so that every report of it is the same.
"""

import random
from dataclasses import replace
from functools import cache

from tests.stats.simulated_memory import Server, memory
from withstand.client.exchange import (
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    Timing,
    json_request,
)
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.window import Window
from withstand.results import Results
from withstand.scan.finding import Confidence, Evidence, Finding, Severity
from withstand.scan.record import Coverage, CoverageState, ScanRecord
from withstand.slo import Indicator, Objective, SoakRules, parse_objective
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram, merged

MS = 1_000_000
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


def sample() -> Results:
    """Scan and load, with everything that can go wrong."""
    return Results(
        started_at=1_790_000_000.0,
        duration_s=41.7,
        version="0.1.0",
        command="withstand check --html report.html --json results.json",
        base_url=BASE_URL,
        api_title="Corner Shop",
        api_version="2.4.0",
        config="withstand.toml",
        scan=scan(),
        load=load(),
        objectives=(
            latency("GET /users", 0.5, 100),
            latency("GET /users", 0.99, 400),
            latency("GET /orders/{id}", 0.95, 120),
            latency("GET /admin/*", 0.99, 900),
            Objective(indicator=Indicator.ERRORS, limit=0.01, operation="POST /orders"),
            Objective(indicator=Indicator.ERRORS, limit=0.01, operation="GET /orders/{id}"),
        ),
    )


def clean() -> Results:
    """The same API after everything was put right."""
    results = sample()
    cells = tuple(
        Coverage(check=check, operation=operation, state=CoverageState.PASSED)
        for check in CHECKS
        for operation in OPERATIONS
    )
    assert results.scan is not None
    return replace(
        results,
        scan=replace(results.scan, findings=(), coverage=cells, notes=()),
        objectives=(latency("GET /users", 0.5, 100),),
    )


def scan_only() -> Results:
    """A scan without load."""
    return replace(sample(), load=None, objectives=())


def load_only() -> Results:
    """Load without a scan."""
    return replace(sample(), scan=None)


def trials() -> Results:
    """Operations that were tried one request at a time: one breach, one for want of time."""
    rng = random.Random(5)

    def share(count: int, slowest_ms: int, spent_s: float, failed: int = 0) -> TrialShare:
        times = [rng.randrange(20 * MS, slowest_ms * MS) for _ in range(count - failed)]
        return TrialShare(
            durations=Durations((*times, *[None] * failed)),
            warm_up=10,
            errors={"status 503": failed} if failed else {},
            spent_s=spent_s,
        )

    record = TrialRecord(
        operations={
            "GET /users": (share(90, 100, 5.4),),
            "GET /orders": (share(96, 900, 30.2, failed=3),),
            "GET /health": (share(60, 90, 30.1),),
        },
        budget_s=30.0,
        left_out={
            "POST /orders": "it writes, and no objective names its method",
            "GET /users/{id}": "GET /users gave no id",
        },
    )
    objectives = (latency("*", 0.95, 200), parse_objective("max<2s"))
    return replace(scan_only(), scan=None, trials=record, objectives=objectives)


def soak() -> Results:
    """A soak test of two hours: memory leaks, the rest is steady or too short to tell."""
    lasts_s = 7_200.0
    times, levels = memory(Server(leaked=40), lasts_s, random.Random(3))
    measured = replace(
        load(),
        profile="20/s for 2h",
        duration_s=lasts_s,
        server_samples=tuple(
            ServerSample(at_s=at_s, rss_bytes=int(level * 1e6), descriptors=24, threads=9)
            for at_s, level in zip(times, levels, strict=True)
        ),
        probe_trouble="the server could not be looked at once, first after 63 min (it was busy)",
    )
    return replace(load_only(), load=measured, objectives=(), soak=SoakRules())


def void() -> Results:
    """A scan that lost its identity: nothing can be trusted."""
    results = scan_only()
    assert results.scan is not None
    reason = "alice cannot log in any more: POST /auth/login answered 503"
    return replace(results, scan=replace(results.scan, findings=(), void=reason))


def with_detail(text: str) -> Results:
    """A scan whose first finding, note and reason carry this text."""
    results = scan_only()
    assert results.scan is not None
    first, *others = results.scan.findings
    cell = Coverage(check="bola-read", operation=text, state=CoverageState.SKIPPED, reason=text)
    return replace(
        results,
        api_title=text,
        command=text,
        scan=replace(
            results.scan,
            findings=(replace(first, detail=text, title=text, remedy=text), *others),
            coverage=(*results.scan.coverage, cell),
            notes=(text,),
        ),
    )


def latency(operation: str, quantile: float, limit_ms: int) -> Objective:
    """An objective on a response time."""
    return Objective(
        indicator=Indicator.QUANTILE,
        quantile=quantile,
        limit=limit_ms * MS,
        operation=operation,
    )


# --- scan ---------------------------------------------------------------------------------------


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


# --- load ---------------------------------------------------------------------------------------


@cache
def load() -> LoadMeasurement:
    """200 requests a second for 30 s; the server stalls for a moment in the 12th second."""
    shares = {"GET /users": 90, "GET /orders/{id}": 60, "POST /orders": 30, "GET /products": 18}
    rare = "GET /admin/reports/{year}/{month}/by-region-and-sales-channel"
    medians_ms = {
        "GET /users": 42,
        "GET /orders/{id}": 96,
        "POST /orders": 61,
        "GET /products": 25,
        rare: 310,
    }
    operations = {
        name: operation(name, medians_ms[name], rate, seconds=30, seed=index)
        for index, (name, rate) in enumerate(shares.items())
    }
    operations[rare] = operation(rare, medians_ms[rare], 1, seconds=12, seed=9)
    requests = sum(each.requests for each in operations.values())
    lag = random.Random(5)
    return LoadMeasurement(
        model="open",
        profile="200/s for 30s",
        started_at=1_790_000_031.0,
        duration_s=30.2,
        offered=requests + 3,
        sent=requests + 3,
        late=41,
        unanswered=3,
        operations=operations,
        generator=GeneratorHealth(
            cpu_share=0.31,
            send_lag=Histogram(round(lag.expovariate(1 / 60_000)) for _ in range(2_000)),
            gc_pauses=Histogram((210_000, 1_400_000)),
            descriptors=57,
            descriptor_limit=20_000,
            processes=2,
        ),
        server_samples=tuple(
            ServerSample(at_s=second, rss_bytes=84_000_000 + second * 20_000)
            for second in range(0, 30, 5)
        ),
    )


def operation(
    name: str, median_ms: float, per_s: int, *, seconds: int, seed: int
) -> OperationMeasurement:
    """Log-normal service times; what comes during the stall waits for its end."""
    rng = random.Random(seed)
    windows, service, responses, errors = [], [], 0, 0
    for second in range(seconds):
        times, failed = [], []
        for index in range(per_s):
            took = round(rng.lognormvariate(0, 0.35) * median_ms * MS)
            waited = round((1 - index / per_s) * 450 * MS) if second == 12 else 0
            service.append(took)
            times.append(took + waited)
            if second in (12, 13) and rng.random() < 0.12 and name == "POST /orders":
                failed.append(took + waited)
        responses += len(times)
        errors += len(failed)
        windows.append(
            Window(
                second=second,
                response_time=Histogram(times),
                unexpected=len(failed),
                error_time=Histogram(failed),
            )
        )
    return OperationMeasurement(
        operation=name,
        response_time=merged(window.response_time for window in windows),
        service_time=Histogram(service),
        first_byte=Histogram(round(value * 0.97) for value in service),
        statuses={200: responses - errors, **({503: errors} if errors else {})},
        unexpected=errors,
        bytes_received=responses * 2_140,
        bytes_sent=responses * 310,
        error_time=merged(window.error_time for window in windows),
        windows=tuple(windows),
    )
