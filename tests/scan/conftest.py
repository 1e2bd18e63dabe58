"""What every scan in these tests does differently."""

import pytest

from withstand.scan.probes import weak_secrets


@pytest.fixture(autouse=True)
def only_short_numbers_are_tried_as_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million numbers take a second or two for each token that a test makes up."""
    monkeypatch.setattr(weak_secrets, "MOST_DIGITS", 3)
