"""What a scan is asked to do. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from withstand.client.exchange import Request
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.target import Target
from withstand.openapi.given_values import GivenValues
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import calls
from withstand.scan.check import Check
from withstand.scan.policy import Policy
from withstand.scan.records.share import holds
from withstand.scan.seen import called
from withstand.scan.wire.courier import Budget
from withstand.sharding import Shard

Provision = Callable[[], Mapping[str, str]]
"""Makes a user for the scan to spoil and gives its fields; raises WithstandError when it cannot."""
Deprovision = Callable[[Mapping[str, str]], None]
"""Removes a user that was provisioned; raises WithstandError when it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """An API, who may use it, and what to look for.

    `identities` without a credential are logged in with `login`. `nonce` gives canaries of the
    form `ws` + 24 hex digits, unlike any text the API may hold.
    """

    api: Api
    target: Target
    policy: Policy
    checks: tuple[Check, ...]
    nonce: Callable[[], str]
    provoking: tuple[Check, ...] = ()  # run for the answers that they lead to: nothing is reported
    identities: tuple[Identity, ...] = ()
    login: LoginRecipe | None = None
    plain_target: Target | None = None
    expired_token: str | None = None
    canary: str | None = None  # `GET /me`: a read that tells a healthy identity from a broken one
    provision: Provision | None = None
    deprovision: Deprovision | None = None
    public_key: str | None = None  # of the API's tokens: PEM or JWKS, or its path on the API
    budget: Budget = field(default_factory=Budget)
    given: GivenValues = field(default_factory=GivenValues)
    timeout_s: float = 30.0  # longest wait for one response
    connect_timeout_s: float = 5.0
    shard: Shard | None = None  # which part of the tests to run; None runs all
    only: frozenset[tuple[str, str | None]] | None = None
    """Check and operation key (None: the whole API) of the tests to run; None runs all."""

    @property
    def lacks(self) -> str:
        """The path that base_url lacks, where the document says that the API stands below one."""
        paths = (urlsplit(server).path.rstrip("/") for server in self.api.servers)
        return "" if self.target.base_path else next(filter(None, paths), "")

    def wants(self, check: Check, operation: Operation | None) -> bool:
        """Whether this test is to be run."""
        here = self.shard is None or holds(self.shard, check, operation)
        return here and self.has(check, operation)

    def looks_in(self, check: Check) -> bool:
        """Whether a check of the whole API is to be run, or to look at what only this shard saw."""
        return self.wants(check, None) or (check.looks_back and self.has(check, None))

    def has(self, check: Check, operation: Operation | None) -> bool:
        """Whether this test is part of the scan, in whichever shard."""
        key = operation.key if operation is not None else None
        return self.only is None or (check.name, key) in self.only

    def calls(self, operation: Operation, request: Request) -> bool:
        """Whether a request is one to this operation of the document."""
        base = self.target.base_path
        path = request.path.removeprefix(base)
        if request.method != operation.method or not calls(operation.path, path):
            return False  # found out soon: this is asked of every request
        return called(self.api, base, request) == operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """How far the scan is, for whoever draws it."""

    phase: str  # log in | belongings | baselines | checks | clean up
    done: int
    total: int
    requests: int
    findings: int
    now: str = ""  # the operation or identity at hand
    waits_s: float = 0.0  # how long the scan is going to wait for a busy target, where it does


Observer = Callable[[ScanProgress], None]
