"""The file that approves who may use what."""

from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.settings.approved_access import approved_text, read_approved, require_known_roles

APPROVED = {
    "GET /health": ("anonymous", "user"),
    'GET /odd "path"/ü\x7f': ("user?",),
    "POST /closed": (),
}


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "withstand.access.toml"
    file.write_text(approved_text(APPROVED), encoding="utf-8")
    assert read_approved(file) == APPROVED


def test_an_operation_is_one_line() -> None:
    text = approved_text(APPROVED)
    assert '\n"GET /health" = ["anonymous", "user"]\n' in text


def test_no_file_approves_nothing(tmp_path: Path) -> None:
    assert read_approved(tmp_path / "none.toml") is None


@pytest.mark.parametrize("text", ["= 1", '"GET /a" = "user"', '"GET /a" = [1]', "[table]\nx = 1"])
def test_a_file_that_says_something_else_is_refused_in_a_sentence(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "withstand.access.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"does not say who may use which operation"):
        read_approved(file)


def test_roles_that_nobody_has_are_one_sentence_with_those_that_there_are(tmp_path: Path) -> None:
    file = tmp_path / "withstand.access.toml"
    require_known_roles(file, APPROVED, ("user", "admin"))
    with pytest.raises(UsageError) as refused:
        require_known_roles(file, APPROVED | {"GET /b": ("clerk?", "owner")}, ("user", "admin"))
    assert "for clerk, owner, and no identity" in refused.value.message
    assert "(there is admin, user)" in refused.value.message
    assert "withstand access --approve" in (refused.value.hint or "")
