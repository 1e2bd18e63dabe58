"""Hypothesis strategies for Results of every shape, and shards of one run."""

from typing import Any

from hypothesis import strategies as st

from withstand.client.exchange import (
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    Timing,
)
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.script_record import ScriptRecord
from withstand.load.window import Window
from withstand.results import Results
from withstand.scan.finding import Confidence, Evidence, Finding, KnownFinding, Severity
from withstand.scan.records.record import (
    Coverage,
    CoverageState,
    ScanRecord,
    SuppressedFinding,
    SuppressionUse,
)
from withstand.sharding import Shard
from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode
from withstand.sharding.suite import Finished, Outcome, SuitePart, SuiteRecord
from withstand.slo import Indicator, Objective, SoakRules
from withstand.slo.trial_record import TrialRecord, TrialShare
from withstand.stats.durations import Durations
from withstand.stats.histogram import Histogram

BASE_URL = "http://127.0.0.1:8000"
OPERATIONS = ("GET /users", "POST /users", "GET /users/{id}")

words = st.text(max_size=8)
counts = st.integers(0, 10**6)
seconds = st.floats(0, 1e9, allow_nan=False, allow_infinity=False)
times_ns = st.integers(0, 10**12)
headers = st.lists(st.tuples(words, words), max_size=2).map(tuple)
operation_keys = st.sampled_from(OPERATIONS)
histograms = st.lists(st.integers(0, 10**11), max_size=3).map(Histogram)

requests = st.builds(
    Request, method=words, path=words, headers=headers, body=st.binary(max_size=20)
)
responses = st.builds(
    Response,
    status=st.integers(100, 599),
    reason=words,
    headers=headers,
    body=st.binary(max_size=20),
)
failures = st.builds(Failure, kind=st.sampled_from(FailureKind), detail=words)
timings = st.builds(
    Timing,
    intended_ns=times_ns,
    sent_ns=times_ns,
    first_byte_ns=st.none() | times_ns,
    end_ns=times_ns,
)
exchanges = st.builds(
    Exchange,
    request=requests,
    outcome=responses | failures,
    timing=timings,
    identity=st.none() | words,
)
evidence = st.builds(
    Evidence, caption=words, exchange=exchanges, highlight=st.none() | words, curl=words
)
findings = st.builds(
    Finding,
    check=st.sampled_from(("bola-read", "sql-injection", "cors-open")),
    title=words,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    operations=st.lists(operation_keys, max_size=3, unique=True).map(tuple),
    detail=words,
    remedy=words,
    evidence=st.lists(evidence, max_size=2).map(tuple),
    parameter=st.none() | st.just("id"),
    references=st.lists(words, max_size=2).map(tuple),
)
cells = st.builds(
    Coverage,
    check=st.sampled_from(("bola-read", "sql-injection")),
    operation=st.none() | operation_keys,
    state=st.sampled_from(CoverageState),
    reason=words,
)
scans = st.builds(
    ScanRecord,
    findings=st.lists(findings, max_size=3).map(tuple),
    coverage=st.lists(cells, max_size=4, unique_by=lambda cell: (cell.check, cell.operation)).map(
        tuple
    ),
    operations=st.just(OPERATIONS),
    identities=st.just((("alice", "user"),)),
    requests=counts,
    duration_s=seconds,
    notes=st.lists(words, max_size=2, unique=True).map(tuple),
    void=st.none() | st.sampled_from(("alice cannot log in", "the target went away")),
    suppressed=st.lists(
        st.builds(SuppressedFinding, finding=findings, reason=st.just("accepted")), max_size=2
    ).map(tuple),
    suppressions=st.lists(
        st.builds(
            SuppressionUse,
            what=st.sampled_from(("a on GET /users", "b on GET /users")),
            reason=st.just("accepted"),
            covers=st.integers(0, 3),
            missed=st.booleans(),
        ),
        max_size=2,
        unique_by=lambda use: use.what,
    ).map(tuple),
    baseline_file=st.none() | st.just("baseline.json"),
    known=st.lists(findings, max_size=2).map(tuple),
    gone=st.lists(
        st.builds(
            KnownFinding,
            fingerprint=st.sampled_from(("a" * 16, "b" * 16)),
            check=words,
            operation=operation_keys,
            severity=st.sampled_from(Severity),
        ),
        max_size=2,
        unique_by=lambda entry: entry.fingerprint,
    ).map(tuple),
)


def _counted() -> dict[str, st.SearchStrategy[Any]]:
    """What windows and operations have in common."""
    return {
        "response_time": histograms,
        "service_time": histograms,
        "first_byte": histograms,
        "connect": histograms,
        "tls": histograms,
        "error_time": histograms,
        "statuses": st.dictionaries(st.integers(100, 599), counts, max_size=3),
        "failures": st.dictionaries(st.sampled_from(FailureKind).map(str), counts, max_size=2),
        "rejected": st.dictionaries(words, counts, max_size=2),
        "unexpected": counts,
        "bytes_received": counts,
    }


def windows(width_s: int) -> st.SearchStrategy[tuple[Window, ...]]:
    """Windows of one width, ascending, each starting at a multiple of it."""
    window = st.builds(
        Window,
        second=st.integers(0, 6).map(lambda index: index * width_s),
        width_s=st.just(width_s),
        **_counted(),
    )
    return st.lists(window, max_size=4, unique_by=lambda each: each.second).map(
        lambda made: tuple(sorted(made, key=lambda each: each.second))
    )


_WINDOWS = {width_s: windows(width_s) for width_s in (1, 2, 3, 4)}


def measured(operation: str) -> st.SearchStrategy[OperationMeasurement]:
    """One operation's measurement; widths that need joining when shards merge."""
    return st.builds(
        OperationMeasurement,
        operation=st.just(operation),
        bytes_sent=counts,
        **_counted(),
        windows=st.sampled_from(tuple(_WINDOWS)).flatmap(_WINDOWS.__getitem__),
    )


loads = st.builds(
    LoadMeasurement,
    model=st.just("open"),
    profile=st.sampled_from(("200/s for 10s", "100/s for 10s")),
    started_at=seconds,
    duration_s=seconds,
    offered=counts,
    sent=counts,
    late=counts,
    unanswered=counts,
    operations=st.fixed_dictionaries({}, optional={key: measured(key) for key in OPERATIONS}),
    generator=st.builds(
        GeneratorHealth,
        cpu_share=st.floats(0, 1),
        send_lag=histograms,
        loop_lag=histograms,
        gc_pauses=histograms,
        descriptors=st.none() | counts,
        descriptor_limit=st.none() | st.integers(1, 1 << 20),
        processes=st.integers(1, 8),
        saturated=st.none() | st.just("its CPU was full"),
    ),
    server_samples=st.lists(
        st.builds(
            ServerSample,
            at_s=seconds,
            rss_bytes=st.none() | counts,
            descriptors=st.none() | counts,
            started_at=st.none() | seconds,
        ),
        max_size=3,
    ).map(tuple),
    probe_trouble=st.none() | st.sampled_from(("it was gone", "it was busy")),
    script=st.none()
    | st.builds(
        ScriptRecord,
        iterations=counts,
        exceptions=st.dictionaries(st.sampled_from(("KeyError: 'id'", "OSError")), counts),
        blocked_ns=st.dictionaries(st.just("shop.py, line 3, visit"), counts),
        notes=st.lists(st.just("a note"), max_size=1).map(tuple),
    ),
    interrupted=st.booleans(),
)
trials = st.builds(
    TrialRecord,
    operations=st.fixed_dictionaries(
        {},
        optional={
            key: st.lists(
                st.builds(
                    TrialShare,
                    durations=st.lists(st.none() | times_ns, max_size=60).map(
                        lambda values: Durations(tuple(values))
                    ),
                    warm_up=st.integers(0, 10),
                    errors=st.dictionaries(st.sampled_from(("status 503", "reset")), counts),
                    spent_s=seconds,
                ),
                min_size=1,
                max_size=2,
            ).map(tuple)
            for key in OPERATIONS
        },
    ),
    budget_s=seconds,
    left_out=st.dictionaries(operation_keys, words, max_size=2),
    ended=st.none() | st.just("it was interrupted"),
    void=st.none() | st.just("it stopped answering"),
)
objectives = st.builds(
    Objective,
    indicator=st.just(Indicator.QUANTILE),
    limit=st.sampled_from((2e8, 4e8)),
    operation=st.sampled_from(("*", *OPERATIONS)),
    quantile=st.sampled_from((0.5, 0.95)),
)


suites = st.builds(
    SuiteRecord,
    collected=st.lists(
        st.builds(Member, nodeid=words, outer_class=st.none() | words, group=st.none() | words),
        max_size=3,
    ).map(tuple),
    parts=st.lists(
        st.builds(
            SuitePart,
            shard=st.integers(1, 4).map(lambda number: Shard(number=number, total=4)),
            by=st.sampled_from(ShardBy),
            mode=st.sampled_from(ShardMode),
            digest=words,
            machine=words,
            commit=st.none() | words,
            kept=st.lists(words, max_size=3).map(tuple),
            finished=st.lists(
                st.builds(
                    Finished,
                    nodeid=words,
                    outcome=st.sampled_from(Outcome),
                    ms=counts,
                    message=words,
                    verdicts=st.lists(st.tuples(words, words), max_size=2).map(tuple),
                ),
                max_size=3,
            ).map(tuple),
            uncollected=st.lists(words, max_size=2).map(tuple),
            exit_code=st.none() | st.integers(0, 6),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
_no_suite: st.SearchStrategy[SuiteRecord | None] = st.none()


def results(
    scan: st.SearchStrategy[ScanRecord | None],
    load: st.SearchStrategy[LoadMeasurement | None],
    tried: st.SearchStrategy[TrialRecord | None],
    suite: st.SearchStrategy[SuiteRecord | None] = _no_suite,
) -> st.SearchStrategy[Results]:
    """Results with these parts."""
    return st.builds(
        Results,
        started_at=seconds,
        duration_s=seconds,
        version=st.sampled_from(("0.1.0", "0.2.0")),
        command=st.sampled_from(("withstand check --shard 1/2", "withstand check --shard 2/2")),
        base_url=st.just(BASE_URL),
        api_title=st.none() | words,
        api_version=st.none() | words,
        config=st.none() | words,
        commit=st.none() | st.just("abc1234"),
        scan=scan,
        load=load,
        trials=tried,
        suite=suite,
        objectives=st.lists(objectives, max_size=2, unique=True).map(tuple),
        soak=st.none() | st.builds(SoakRules, window_s=st.sampled_from((40.0, 20.0))),
        fail_on=st.sampled_from(Severity),
        strict=st.booleans(),
        interrupted=st.booleans(),
    )


any_results = results(st.none() | scans, st.none() | loads, st.none() | trials, st.none() | suites)
full_results = results(scans, loads, trials)
