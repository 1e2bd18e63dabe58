"""What all operations share: the tables, the sessions, the limits and the planted flaws."""

from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from tests.clinic.limits import FailureLimit
from tests.clinic.sessions import Sessions
from tests.clinic.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """One clinic. `session_in_body`: a login also answers with what the cookie holds."""

    planted: frozenset[str] = frozenset()
    session_in_body: bool = False
    store: Store = field(default_factory=Store)
    sessions: Sessions = field(default_factory=Sessions)
    failed_logins: FailureLimit = field(default_factory=lambda: FailureLimit(10))
    failed_codes: FailureLimit = field(default_factory=lambda: FailureLimit(5))


def clinic() -> Clinic:
    """The clinic that the present request is for."""
    return cast("Clinic", current_app.extensions["clinic"])


def planted(flaw: str) -> bool:
    """Whether the clinic has that flaw."""
    return flaw in clinic().planted


def store() -> Store:
    """The tables of the clinic that the present request is for."""
    return clinic().store
