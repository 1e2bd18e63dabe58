"""Findings: what was found, how bad, how sure, and the exchanges that prove it. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from withstand.client.exchange import Exchange
from withstand.openapi.path_template import parameters_in, shape


class Severity(StrEnum):
    """How much harm the flaw allows."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info … 4 for critical."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How sure the finding is: a separate thing from how bad it is."""

    CERTAIN = "certain"  # proof that nothing else explains
    FIRM = "firm"  # strong evidence, reproduced
    TENTATIVE = "tentative"  # worth a look; never fails a build


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One exchange of the proof, with the sentence that says what it shows. Secrets are masked."""

    caption: str
    exchange: Exchange
    highlight: str | None = None  # the text in the response that proves it
    curl: str = ""  # the command line that sends the request again
    is_attack: bool = False  # the request to send again first, rather than a control


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A flaw with its proof. `operations` are the keys of every operation it affects."""

    check: str
    title: str
    severity: Severity
    confidence: Confidence
    operations: tuple[str, ...]
    detail: str
    remedy: str
    evidence: tuple[Evidence, ...]
    parameter: str | None = None
    whole_api: bool = False  # one root cause for all its operations, however many those are
    references: tuple[str, ...] = ()

    @property
    def proof(self) -> Evidence | None:
        """The exchange to send again first: the attack, where the check says which that is; else
        the one that shows the proof, else the first.
        """
        attack = next((item for item in self.evidence if item.is_attack), None)
        shows = next((item for item in self.evidence if item.highlight), None)
        return attack or shows or next(iter(self.evidence), None)

    @property
    def fingerprint(self) -> str:
        """16 hex digits from check, operation and parameter: never host, id, time or order.

        Parameters of a path count by their place, so that renaming one changes nothing. A finding
        for the whole API is named without its operations, so that one operation more or less does
        not make it another finding.
        """
        if self.whole_api:
            return fingerprint_of(self.check, (), self.parameter)
        return fingerprint_of(self.check, self.operations, self.parameter)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """What a baseline file remembers of a finding. `operation` is `*` for the whole API."""

    fingerprint: str
    check: str
    operation: str
    severity: Severity
    parameter: str | None = None


def fingerprint_of(check: str, operations: tuple[str, ...], parameter: str | None = None) -> str:
    """The fingerprint of a finding on these operations; on the whole API without any."""
    place = " ".join(sorted({operation_shape(key) for key in operations})) or "*"
    text = "|".join((check, place, _unnamed(parameter, operations)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def operation_shape(key: str) -> str:
    """`GET /orders/{}` of `GET /orders/{id}/`: an operation whatever its parameters are called."""
    method, _, path = key.partition(" ")
    return f"{method} {shape(path)}"


def _unnamed(parameter: str | None, operations: tuple[str, ...]) -> str:
    """`path 1` of `path id` in `GET /orders/{id}`; any other parameter as it is."""
    location, _, name = (parameter or "").rpartition(" ")
    if location in {"", "path"}:
        for key in operations:
            names = parameters_in(key)
            if name in names:
                return f"path {names.index(name) + 1}"
    return parameter or ""
