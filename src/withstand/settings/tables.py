"""The shape of withstand.toml: one class a table, each key with its meaning and its form."""

from typing import Any

import attrs

from withstand.scan.finding import Severity
from withstand.scan.policy import Profile
from withstand.settings.forms import (
    AccessKey,
    Day,
    Duration,
    Fingerprint,
    GivenValue,
    Keep,
    Leeway,
    Limit,
    OperationPattern,
    PrivatePattern,
    ProxyAddress,
    Rate,
    Stages,
    Texts,
    ThinkTime,
    Weight,
)
from withstand.settings.login_table import LoginTable
from withstand.settings.race_table import RaceTable


def _doc(meaning: str) -> dict[str, Any]:
    return {"doc": meaning}


@attrs.frozen(kw_only=True)
class TargetTable:
    """Where the API is served and how to speak to it."""

    base_url: str | None = attrs.field(
        default=None, metadata=_doc("Address of the API: scheme, host, port and base path.")
    )
    openapi: str = attrs.field(
        default="/openapi.json",
        metadata=_doc(
            "The OpenAPI document: a file relative to this one, a URL, or a path on the target."
        ),
    )
    allow: tuple[str, ...] = attrs.field(
        default=(), metadata=_doc("Hosts beyond this machine that you own and may test.")
    )
    verify: bool = attrs.field(
        default=True, metadata=_doc("Whether the target's TLS certificate must be valid.")
    )
    ca_file: str | None = attrs.field(
        default=None,
        metadata=_doc("Certificate authority to trust besides the system's: a PEM file."),
    )
    cert: str | None = attrs.field(
        default=None, metadata=_doc("Client certificate to show to the target: a PEM file.")
    )
    key: str | None = attrs.field(
        default=None,
        metadata=_doc("Its private key, where it is not in the same file: PEM, no password."),
    )
    server_name: str | None = attrs.field(
        default=None,
        metadata=_doc("Name for TLS in place of the host: in SNI, and in the certificate."),
    )
    proxy: ProxyAddress | None = attrs.field(
        default=None,
        metadata=_doc(
            "HTTP proxy to the target, or none to ignore the environment's (http_proxy, "
            "https_proxy, all_proxy, no_proxy), which is not used for this machine."
        ),
    )
    plain_url: str | None = attrs.field(
        default=None,
        metadata=_doc("Where the same API answers plain HTTP, to check that it redirects."),
    )
    timeout: Duration = attrs.field(
        default=Duration(30_000_000_000), metadata=_doc("Longest wait for one response.")
    )
    connect_timeout: Duration = attrs.field(
        default=Duration(5_000_000_000),
        metadata=_doc("Longest wait for a connection: name, TCP, proxy and TLS together."),
    )


@attrs.frozen(kw_only=True)
class SuppressionTable:
    """A finding that the team has accepted."""

    reason: str = attrs.field(metadata=_doc("Why the finding is acceptable."))
    check: str | None = attrs.field(
        default=None, metadata=_doc("Name of the check; needed without a fingerprint.")
    )
    fingerprint: Fingerprint | None = attrs.field(
        default=None, metadata=_doc("Only this finding: the 16 hex digits that reports show.")
    )
    operation: OperationPattern | None = attrs.field(
        default=None, metadata=_doc("Only findings on this operation; without it, all.")
    )
    expires: Day | None = attrs.field(
        default=None, metadata=_doc("Last day on which the suppression holds.")
    )


@attrs.frozen(kw_only=True)
class BudgetTable:
    """How much one scan may send."""

    requests_per_s: Rate | None = attrs.field(
        default=None, metadata=_doc("Highest request rate of the scan.")
    )
    requests: int | None = attrs.field(
        default=None, metadata=_doc("Most requests that one scan may send; 20,000 unless set.")
    )
    duration: Duration | None = attrs.field(
        default=None, metadata=_doc("Longest time that one scan may take; half an hour unless set.")
    )


@attrs.frozen(kw_only=True)
class SecurityTable:
    """What the scan looks for and what fails it."""

    fail_on: Severity = attrs.field(
        default=Severity.MEDIUM, metadata=_doc("Least severity of a finding that fails the run.")
    )
    profile: Profile | None = attrs.field(
        default=None,
        metadata=_doc("How far the scan may go; without it abuse on this machine, else ci."),
    )
    cors_origins: tuple[str, ...] = attrs.field(
        default=(), metadata=_doc("Origins that may read the API from a browser.")
    )
    limits: dict[OperationPattern, Limit] = attrs.field(
        factory=dict, metadata=_doc("Failures after which an operation must refuse.")
    )
    races: dict[OperationPattern, RaceTable] = attrs.field(
        factory=dict,
        metadata=_doc("Operation → what must hold when it is called several times at once."),
    )
    private: tuple[PrivatePattern, ...] = attrs.field(
        default=(), metadata=_doc("Paths whose objects belong to one user.")
    )
    public_key: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Public key of the API's tokens: a PEM or JWKS file, or a path on the target, where it "
            "is not at /.well-known/jwks.json or the like."
        ),
    )
    approved_access: str = attrs.field(
        default="withstand.access.toml",
        metadata=_doc("File in which `withstand access --approve` notes who may use what."),
    )
    suppress: tuple[SuppressionTable, ...] = attrs.field(
        default=(), metadata=_doc("Findings that the team has accepted.")
    )
    baseline: str | None = attrs.field(
        default=None,
        metadata=_doc("File of findings that are known: only what is new fails the run."),
    )
    budget: BudgetTable = attrs.field(
        factory=BudgetTable, metadata=_doc("How much one scan may send.")
    )


@attrs.frozen(kw_only=True)
class LoadTable:
    """Defaults of `withstand load`; flags of the same name win."""

    users: int | None = attrs.field(default=None, metadata=_doc("Virtual users (closed model)."))
    spawn_rate: Rate | None = attrs.field(
        default=None, metadata=_doc("Virtual users started each second.")
    )
    rate: Rate | None = attrs.field(
        default=None, metadata=_doc("Arrival rate in requests (open model).")
    )
    poisson: bool = attrs.field(
        default=False, metadata=_doc("Whether arrivals are random (Poisson) instead of paced.")
    )
    stages: Stages | None = attrs.field(
        default=None,
        metadata=_doc("Durations and levels, of a rate or of users: 30s:200/s, 1m:200/s, 10s:0/s."),
    )
    run_time: Duration | None = attrs.field(default=None, metadata=_doc("How long to send."))
    think_time: ThinkTime | None = attrs.field(
        default=None,
        metadata=_doc("Pause of a user after an answer, or the range it is drawn from: 1s..3s."),
    )
    pacing: Duration | None = attrs.field(
        default=None, metadata=_doc("Time from one iteration of a user to its next.")
    )
    connections: int | None = attrs.field(
        default=None, metadata=_doc("Most connections open at once.")
    )
    keep_alive: bool = attrs.field(
        default=True,
        metadata=_doc("Whether a connection carries more than one request."),
    )
    follow_redirects: bool = attrs.field(
        default=False,
        metadata=_doc("Whether redirects on the target are followed, as part of the request."),
    )
    weights: dict[OperationPattern, Weight] = attrs.field(
        factory=dict,
        metadata=_doc("Operation → how often it is sent beside the others; 1 where none is given."),
    )
    processes: int | None = attrs.field(
        default=None,
        metadata=_doc("Processes that generate the load; without it as many as it needs."),
    )
    warm_up: Leeway | None = attrs.field(
        default=None,
        metadata=_doc("How long at the start requests are recorded but not judged."),
    )


@attrs.frozen(kw_only=True)
class HistoryTable:
    """Runs that are remembered, to see trends and what is slower than it was."""

    file: str | None = attrs.field(
        default=None,
        metadata=_doc("Where runs with load are remembered; without it, nowhere."),
    )
    keep: Keep | None = attrs.field(
        default=None,
        metadata=_doc("How much is kept: 90 days, 500 runs of a kind, or both; without it, all."),
    )


@attrs.frozen(kw_only=True)
class SettingsFile:
    """The whole of withstand.toml, or of [tool.withstand] in pyproject.toml."""

    target: TargetTable = attrs.field(
        factory=TargetTable, metadata=_doc("Where the API is served and how to speak to it.")
    )
    login: LoginTable | None = attrs.field(
        default=None, metadata=_doc("How an identity gets its credential.")
    )
    identities: dict[str, dict[str, str]] = attrs.field(
        factory=dict, metadata=_doc("Who uses the API: a role, and the fields that log them in.")
    )
    access: dict[AccessKey, tuple[str, ...]] = attrs.field(
        factory=dict,
        metadata=_doc("Operation → roles that may use it; public and never list operations."),
    )
    values: dict[str, GivenValue] = attrs.field(
        factory=dict,
        metadata=_doc(
            "Input → the value to send; or operation → its inputs and their values. For what the "
            "document does not say."
        ),
    )
    slo: dict[OperationPattern, Texts] = attrs.field(
        factory=dict, metadata=_doc("Operation, or * for each of them → its objectives.")
    )
    security: SecurityTable = attrs.field(
        factory=SecurityTable, metadata=_doc("What the scan looks for and what fails it.")
    )
    load: LoadTable = attrs.field(
        factory=LoadTable, metadata=_doc("Defaults of `withstand load`; flags win.")
    )
    history: HistoryTable = attrs.field(
        factory=HistoryTable,
        metadata=_doc("Runs that are remembered, to see trends and what is slower than it was."),
    )
