"""What every journey in these tests does differently."""

import pytest

from withstand.slo import rota
from withstand.workflows import trials


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second before a breach has to show again, and half of one before a dead target is asked."""
    monkeypatch.setattr(rota, "_PAUSE_S", 0.05)
    monkeypatch.setattr(trials, "_BETWEEN_PROBES_S", 0.05)
