"""A comparison of two versions, as the front door asks for it, and who looks on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from withstand.client.target import Target
from withstand.openapi.operation import Api
from withstand.scan.plan import ScanPlan
from withstand.workflows.masking import masked_command

PORT: Final = "{port}"
"""Stands for a free port in an address and a command, another one at each start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One of the two versions. `address` may hold PORT where `command` starts a server there.

    `target` makes an address without PORT a target, `plan` says who asks for what there.
    """

    name: str  # A or B
    address: str
    command: str | None
    target: Callable[[str], Target]
    plan: Callable[[Target, Api], ScanPlan]

    @property
    def what(self) -> str:
        """What is compared, in few words, without secrets."""
        return self.address if self.command is None else masked_command(self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePlan:
    """Two versions, and how much of them to measure.

    `document` is the API, or where on A its document is. `operations` are key patterns; none of
    them stands for every read. `requests` of each operation go to each version in each of `blocks`
    after each of `restarts`. Nothing is measured for longer than `max_time_s`. `seed` None draws
    another order each time.
    """

    a: Version
    b: Version
    document: Api | str
    operations: tuple[str, ...] = ()
    restarts: int
    blocks: int
    requests: int
    max_time_s: float
    start_timeout_s: float
    timeout_s: float
    connect_timeout_s: float
    seed: str | None = None

    @property
    def restarted(self) -> bool:
        """Whether the versions are started and stopped here."""
        return self.a.command is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareProgress:
    """How far a comparison is: blocks of all restarts, and what is done now."""

    done: int
    total: int
    now: str


Observer = Callable[[CompareProgress], None]
