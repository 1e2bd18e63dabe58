"""What a scan of planted flaws must find, and nothing else; which flaws may stand side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.scan.apis import APIS
from tests.clinic.registry import FLAWS as CLINIC_FLAWS

from withstand.demo.flaws import FLAWS as SHOP_FLAWS

Finding = tuple[str, str]
"""Check and operation; "*" for a finding of the whole API."""

APART: tuple[frozenset[str], ...] = (
    # Where there is no limit, no refusal can lack the time.
    frozenset({"no-rate-limit", "rate-limit-without-retry-after"}),
    # Where no role is checked, there is no guard to get past.
    frozenset({"role-not-checked", "admin-guard-reads-path"}),
    frozenset({"login-without-limit", "login-limit-says-no-time"}),
    # Answers that differ already are reported once, not also for the time that they take.
    frozenset({"login-knows-no-such-patient", "login-hashes-for-patients-only"}),
    # A key pair signs without a secret; who asks for no token, or believes any, shows no other flaw
    # of tokens there.
    frozenset({"guessable-token-secret", "public-key-as-secret"}),
    frozenset({"no-token-check", "any-token-accepted"}),
    frozenset({"unverified-signatures", "public-key-as-secret"}),
    # Who lets every origin in lets in also those that look allowed; who lets in none, none.
    frozenset({"wildcard-cors-with-credentials", "origins-compared-by-prefix"}),
    frozenset({"wildcard-cors-with-credentials", "allowed-origin-left-out"}),
    frozenset({"wildcard-cors-with-credentials", "preflights-approved-for-everybody"}),
    frozenset({"origins-compared-by-prefix", "allowed-origin-left-out"}),
)
"""Flaws of which one hides or changes what the others show: never in one group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A flaw, the check that must find it and the operations on which it does so.

    Without operations it does not matter on which, or whether it is one finding for all.
    """

    api: str
    name: str
    seen_by: str
    seen_on: tuple[str, ...] = ()

    def explains(self, finding: Finding) -> bool:
        """Whether a finding is what the flaw must lead to."""
        check, operation = finding
        return check == self.seen_by and (
            not self.seen_on or operation == "*" or operation in self.seen_on
        )


@dataclass(slots=True, kw_only=True)
class Comparison:
    """What is wrong with a scan: flaws that were not found, findings that no flaw explains."""

    missed: list[tuple[str, str, str]] = field(default_factory=list)  # flaw, check, operation
    alien: list[Finding] = field(default_factory=list)


def planted(api: str) -> tuple[Planted, ...]:
    """Every flaw of an API that a scan must find."""
    assert api in APIS
    flaws = CLINIC_FLAWS if api == "clinic" else SHOP_FLAWS
    return tuple(
        Planted(api=api, name=flaw.name, seen_by=flaw.seen_by, seen_on=flaw.seen_on)
        for flaw in flaws
        if flaw.seen_by is not None
    )


def groups(flaws: Iterable[Planted]) -> list[tuple[Planted, ...]]:
    """The flaws in as few groups as it takes for none to disturb another.

    Two flaws that one check must find stand apart too, unless they show on operations of their
    own: else one could be missed unnoticed.
    """
    found: list[list[Planted]] = []
    for flaw in flaws:
        for group in found:
            if not any(_disturb(flaw, other) for other in group):
                group.append(flaw)
                break
        else:
            found.append([flaw])
    return [tuple(group) for group in found]


def compared(flaws: Iterable[Planted], findings: Iterable[Finding]) -> Comparison:
    """The findings of a scan held against the flaws that were planted."""
    flaws, findings = tuple(flaws), sorted(findings)
    return Comparison(
        missed=[miss for flaw in flaws for miss in _missed(flaw, findings)],
        alien=[each for each in findings if not any(flaw.explains(each) for flaw in flaws)],
    )


def _missed(flaw: Planted, findings: list[Finding]) -> Iterator[tuple[str, str, str]]:
    own = [operation for check, operation in findings if check == flaw.seen_by]
    for operation in flaw.seen_on or ("*",):
        found = bool(own) if operation == "*" else operation in own or "*" in own
        if not found:
            yield flaw.name, flaw.seen_by, operation


def _disturb(one: Planted, other: Planted) -> bool:
    if any({one.name, other.name} <= apart for apart in APART):
        return True
    same_check = one.seen_by == other.seen_by
    return same_check and not (
        one.seen_on and other.seen_on and not set(one.seen_on) & set(other.seen_on)
    )
