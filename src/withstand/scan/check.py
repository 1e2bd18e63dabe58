"""The contract of a check: a generator that decides, metadata, and two tiny servers as its proof.

A check yields steps and is resumed with what they led to; it never touches the network, so the
same code runs against a real API and against its own examples:

    def run(subject: Subject) -> Steps[Outcome]:
        exchange = yield from send(subject.anonymous())
        if exchange.succeeded:
            return Failed(detail="…", evidence=(shown("without a credential", exchange),))
        return PASSED

One file in `scan/checks/` holds one check as a module-level `CHECK`. The scanner confirms every
`Failed` by running the check again from scratch, retries noise (429, gateway errors, timeouts,
resets) and ends the check as inconclusive when noise stays, so checks need not think of either.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.target import Target
from withstand.scan.finding import Confidence, Evidence, Severity
from withstand.scan.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one request; resumed with its `Exchange`.

    `fresh` opens a new connection. `to` names another target than the API's (its plain-HTTP
    address, say). `noise_is_answer` hands 429, gateway errors and failures to the check instead of
    retrying them: for checks that ask just that.
    """

    request: Request
    fresh: bool = False
    to: Target | None = None
    noise_is_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Release several requests at one instant; resumed with a tuple of exchanges."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let time pass; resumed with None."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Log an identity in again (`short_lived`: for a token that expires at once).

    `user` is a user that the check signed up itself, in place of an identity by name. Resumed with
    a `Credential`, or None when that cannot be done. With `keep` the scan goes on with this
    credential: for where the one that it had may be good no longer.
    """

    identity: str
    short_lived: bool = False
    keep: bool = False
    user: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """Make a throw-away user, whose account, password and role may be changed and lost.

    Resumed with an `Identity` that is logged in, or with the reason why there is none.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Open the scan's own listener, which waits for requests that the target makes.

    Resumed with its address, `http://host:port`, to which a path unlike any other is to be added;
    or with None where the target could not reach it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitCalls:
    """Wait for a request at the listener whose path holds `text`, no longer than `within_s`.

    Resumed with a tuple of those requests, empty when none came.
    """

    text: str
    within_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShakeHands:
    """See what the server agrees to; resumed with a `Handshake`, or None without TLS."""


Step = Send | Burst | Pause | LogIn | SignUp | Listen | AwaitCalls | ShakeHands


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The flaw is not there, and the controls show that the check could have seen it."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The flaw is there. `severity` and `confidence` override the check's own.

    `operations` are the keys of those affected, for a check of the whole API. `whole_api` says of
    one operation's flaw that it is the API's: all such flaws of a check are one finding.
    """

    detail: str
    evidence: tuple[Evidence, ...]
    operations: tuple[str, ...] = ()
    parameter: str | None = None
    severity: Severity | None = None
    confidence: Confidence | None = None
    whole_api: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    """The check ran but could not tell, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The check was not run, why, and what would make it run.

    `applicable` False says that there is nothing for it to look at: nobody misses such a test.
    """

    reason: str
    applicable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMany:
    """Several flaws of one operation, one for each parameter."""

    failures: tuple[Failed, ...]


Outcome = Passed | Failed | FailedMany | Inconclusive | Skipped
T = TypeVar("T")
Steps = Generator[Step, Any, T]
"""What a check is: yields steps, is resumed with their answers, returns a `T`."""

PASSED = Passed()


class Safety(StrEnum):
    """What a check does to the API it runs against."""

    READ_ONLY = "read-only"
    MUTATING = "mutating"  # creates and changes the scan's own throw-away data
    ABUSIVE = "abusive"  # floods, or locks accounts of its own
    DESTRUCTIVE = "destructive"  # destroys an object of its own if the flaw exists


class Per(StrEnum):
    """What a check is run for."""

    OPERATION = "operation"  # once for each operation, a finding each
    API = "api"  # once


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Where the flaw is described, in the catalogues that auditors use."""

    cwe: tuple[int, ...]
    owasp: tuple[str, ...] = ()  # API Security Top 10 2023: "API2:2023"
    asvs: tuple[str, ...] = ()  # ASVS 5.0: "6.3.4"
    wstg: tuple[str, ...] = ()  # "WSTG-ATHN-04"
    rfc: tuple[str, ...] = ()  # "RFC 9110, 10.2.3"

    def lines(self) -> tuple[str, ...]:
        """Each reference as printed."""
        return (
            *(f"CWE-{number}" for number in self.cwe),
            *(f"OWASP {item}" for item in self.owasp),
            *(f"ASVS 5.0 {item}" for item in self.asvs),
            *self.wstg,
            *self.rfc,
        )


Server = Callable[[Request], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A tiny API, once with the flaw and once without: the check's proof and its documentation.

    `paths` is that object of an OpenAPI document, whose security scheme is `bearer`. Identities are
    alice and bob (role user) and root (role admin), whose credentials are `Authorization: Bearer
    alice-token` and so on; their fields are `email` (alice@example.com) and `password`
    (alice-password-1). `vulnerable` and `safe` make a server with its own state each time they are
    called; where `plain_url` is set, `plain_vulnerable` and `plain_safe` make what answers there.
    """

    paths: dict[str, Any]
    vulnerable: Callable[[], Server]
    safe: Callable[[], Server]
    base_url: str | None = None  # where it is served; None: over plain HTTP on this machine
    policy: dict[str, Any] | None = None  # keyword arguments of `Policy`
    plain_url: str | None = None  # the example also answers plain HTTP at this address
    plain_vulnerable: Callable[[], Server] | None = None
    plain_safe: Callable[[], Server] | None = None
    tokens: Mapping[str, str] | None = None  # by identity name, in place of alice-token …
    safe_tokens: Mapping[str, str] | None = None  # those of the safe server, where others
    cookie: str | None = None  # tokens travel in the cookie of this name instead of a header
    login: LoginRecipe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `name` says what is wrong, so that ignoring it reads as a sentence."""

    name: str
    title: str
    family: str
    severity: Severity
    per: Per
    safety: Safety
    references: References
    explanation: str
    remedy: str
    run: Callable[[Subject], Steps[Outcome]]
    example: Example
    confidence: Confidence = Confidence.FIRM
    needs_baseline: bool = True  # False: the check makes its own positive control
    proves_at_once: bool = False  # a failure is not repeated: what it used up is gone
    stands_alone: bool = False  # its proof holds beside a refusal too: then that is the baseline
    looks_back: bool = False  # judges what the scan was answered, and sends nothing
    goes_first: bool = False  # what it finds on an operation spares the other checks there a hang
    reads_access: bool = False  # the scan observes the operation's row of the access matrix for it
    provoked_by: tuple[str, ...] = ()
    """Checks whose requests lead to the answers that it looks at. Where it is chosen without them,
    the scan sends theirs too, and keeps what they find to itself."""
    applies: Callable[[Subject], Skipped | None] = lambda _subject: None
    """None when the check has something to do here, or why it has not."""


def send(
    request: Request,
    *,
    fresh: bool = False,
    to: Target | None = None,
    noise_is_answer: bool = False,
) -> Steps[Exchange]:
    """Sub-generator: one request, its exchange. `exchange = yield from send(request)`."""
    exchange: Exchange = yield Send(
        request=request, fresh=fresh, to=to, noise_is_answer=noise_is_answer
    )
    return exchange


def listen() -> Steps[str | None]:
    """Sub-generator: the address of the scan's own listener, None where none can be reached."""
    address: str | None = yield Listen()
    return address


def calls(text: str, within_s: float = 0.0) -> Steps[tuple[Request, ...]]:
    """Sub-generator: the requests at the listener with this text in their path."""
    found: tuple[Request, ...] = yield AwaitCalls(text=text, within_s=within_s)
    return found


def not_applicable(reason: str) -> Skipped:
    """The check has nothing to look at here, and why."""
    return Skipped(reason=reason, applicable=False)


def shown(caption: str, exchange: Exchange, highlight: str | None = None) -> Evidence:
    """Evidence before masking: the scanner masks secrets and adds the curl line."""
    return Evidence(caption=caption, exchange=exchange, highlight=highlight)


def attack(caption: str, exchange: Exchange, highlight: str | None = None) -> Evidence:
    """The evidence that is the flaw itself, where controls stand before it or carry the proof
    too: reports print its curl line.
    """
    return Evidence(caption=caption, exchange=exchange, highlight=highlight, is_attack=True)
