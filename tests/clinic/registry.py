"""The topics of the clinic: one line for each file in `topics`."""

from types import ModuleType

from tests.clinic.flaws import Flaw
from tests.clinic.topics import (
    about,
    accounts,
    admin,
    appointments,
    doctors,
    documents,
    feeds,
    graph,
    letters,
    login,
    messages,
    notes,
    patients,
    recovery,
    versions,
    vouchers,
)

TOPICS: tuple[ModuleType, ...] = (
    login,
    accounts,
    recovery,
    doctors,
    appointments,
    notes,
    messages,
    documents,
    feeds,
    letters,
    vouchers,
    patients,
    admin,
    versions,
    about,
    graph,
)
"""Each with `blueprint`, `PATHS` (paths of the OpenAPI document) and `FLAWS`."""

FLAWS: tuple[Flaw, ...] = tuple(flaw for topic in TOPICS for flaw in topic.FLAWS)
