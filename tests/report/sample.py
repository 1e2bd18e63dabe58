"""A realistic run against a made-up shop: findings, gaps, objectives and ten seconds of load.

Seeded throughout, so that every report of it is the same.
"""

import random
from dataclasses import replace
from functools import cache

from tests.report.scan_sample import BASE_URL, CHECKS, OPERATIONS, scan
from tests.stats.simulated_memory import Server, memory
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.window import Window
from withstand.results import Results
from withstand.scan.records.record import Coverage, CoverageState
from withstand.slo import Indicator, Objective, SoakRules, parse_objective
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram, merged

MS = 1_000_000


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
