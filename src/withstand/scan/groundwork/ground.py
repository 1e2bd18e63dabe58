"""What a scan stands on: who is logged in, which requests succeed, and why others do not."""

from dataclasses import dataclass, field

from withstand.client.exchange import Request
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import RequestBuilder, Slot
from withstand.openapi.value_pool import ValuePool
from withstand.scan.answers.belongings import Belongings
from withstand.scan.answers.profile import Profile
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.made import Made
from withstand.scan.subject import Baseline


@dataclass(slots=True, kw_only=True)
class Had:
    """What a read showed each configured user before the scan, and at the latest look; `since` says
    after which call a place of it was first seen changed.
    """

    read: Operation
    request: Request
    first: dict[str, Belongings] = field(default_factory=dict)
    latest: dict[str, Belongings] = field(default_factory=dict)
    since: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Groundwork:
    """Who is logged in, what works, and why the rest does not. Grows while the scan runs."""

    builder: RequestBuilder
    identities: dict[str, Identity] = field(default_factory=dict)
    pools: dict[str, ValuePool] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # operation key → why no baseline
    refused: dict[str, Baseline] = field(default_factory=dict)  # what stands in for it, if anything
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)  # operation key → tries
    asks_who: Baseline | None = None  # what told somebody's profile before the scan
    canary: Baseline | None = None  # the one that most identities may ask
    canaries: dict[str, Baseline] = field(default_factory=dict)  # identity name → its own
    profiles: dict[str, dict[str, Profile]] = field(default_factory=dict)
    """Identity name → operation key → who it was when that was first read."""
    logged_in_at_s: dict[str, float] = field(default_factory=dict)  # Unix seconds, by name
    refusals: set[str] = field(default_factory=set)
    served: set[str] = field(default_factory=set)  # names of identities that something answered
    let_in_again: set[str] = field(default_factory=set)  # who was asked to log in once more
    notes: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    throwaways: dict[str, Identity] = field(default_factory=dict)
    shown: dict[str, dict[str | None, ValuePool | None]] = field(default_factory=dict)
    """Operation key of a read without an id → identity name → what it shows them, None where they
    are refused it."""
    had: list[Had] = field(default_factory=list)
    made: ValuePool = field(default_factory=ValuePool)  # what was created, by whichever check
    taken_in: int = 0  # how many of the exchanges that created it are in `made`
    invented: set[tuple[str, str]] = field(default_factory=set)
    """Things and what picks them, as the scan made it up: nobody had been shown them."""
    spared: dict[tuple[str, str | None], Made] = field(default_factory=dict)  # as `Subject` has it
    stalling: dict[tuple[str, Slot], int] = field(default_factory=dict)  # likewise

    @property
    def throwaway(self) -> Identity | None:
        """The first user of the scan's own, None without one."""
        return next(iter(self.throwaways.values()), None)
