"""Keeps passwords and tokens out of everything pytest prints, also out of JUnit files."""

import dataclasses
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from withstand.pytest_plugin.run_record import RUN

# pytest shortens long values in the middle, so a secret can be printed in part.
_PART_CHARACTERS = 24


class Token(str):
    """A token that shows itself only where it is used: pytest prints arguments by their repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<token>"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Masks the secrets that this run knows, in tracebacks and in captured output."""
    report = yield
    secrets = item.config.stash[RUN].secrets
    if secrets:
        report.longrepr = _masked(report.longrepr, secrets)
        report.sections = _masked(report.sections, secrets)
    return report


def mask(text: str, secrets: Mapping[str, str]) -> str:
    """The text with every secret, whole, encoded or shortened, replaced by what stands for it."""
    from withstand.client.masking import Mask

    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    for secret in longest_first:
        label = f"<{secrets[secret]}>"
        text = text.replace(secret, label).replace(repr(secret)[1:-1], label)
    # Parts after all that is whole: tokens of one API begin alike.
    long = {
        secret: f"<{secrets[secret]}>"
        for secret in longest_first
        if len(secret) > 2 * _PART_CHARACTERS
    }
    for secret, label in long.items():
        text = _mask_parts(text, secret, label, tuple(long))
    return Mask(secrets).text(text)


def _mask_parts(text: str, secret: str, label: str, secrets: tuple[str, ...]) -> str:
    # The header of a JWT is no secret, and many tokens share it and the start of their claims.
    least = max(_PART_CHARACTERS, secret.find(".") + 40)
    place = 0
    while (start := text.find(secret[:least], place)) >= 0:
        end = start + least
        # As far as any of them goes: the one that is shown may be another that begins alike.
        while end < len(text) and any(each.startswith(text[start : end + 1]) for each in secrets):
            end += 1
        text = text[:start] + label + text[end:]
        place = start + len(label)
    place = len(text)
    while (start := text.rfind(secret[-_PART_CHARACTERS:], 0, place)) >= 0:
        end = start + _PART_CHARACTERS
        while start > 0 and secret.endswith(text[start - 1 : end]):
            start -= 1
        text = text[:start] + label + text[end:]
        place = start
    return text


def _masked(value: Any, secrets: Mapping[str, str]) -> Any:
    """The value with every text in it masked; pytest's own representations are changed in place."""
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, list | tuple):
        return type(value)(_masked(item, secrets) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            setattr(value, field.name, _masked(getattr(value, field.name), secrets))
    return value
